/** Largest value a producer may state. Kafka's default `message.max.bytes` is 1 MiB for a whole batch: 124 KiB are left for key, header and batch overhead. */
export const FACT_MAX_BYTES = 900 * 1024;

/** Longest key. Keys are indexed in Postgres, where a B-tree entry must stay below 2,704 bytes with its other columns. */
export const FACT_KEY_MAX_BYTES = 1024;

/** Largest value that is decoded: what a broker with default settings can hold. */
export const DECODE_MAX_BYTES = 1024 * 1024;

/** Elements of all arrays and maps of one value together, and its fields that are null or a record. Each may take no byte at all, so the bytes alone bound nothing. */
export const DECODE_MAX_ITEMS = 100_000;

/** Records, arrays and maps inside each other. avsc reads recursively: about 10,000 levels exhaust Node's default stack. */
export const DECODE_MAX_DEPTH = 64;

/** Characters of field, symbol and branch names in one value shown as JSON, each counted as often as it appears: a value of 1 MiB may repeat a name of 10 KB a million times, and a JavaScript text holds 512 Mi. */
export const DECODE_MAX_NAME_CHARACTERS = 16 * 1024 * 1024;

/** Pairs of a selection and a writer schema whose compiled readers are kept, some 20 KB each; an app of 100 facts in 10 versions has 1,000. */
export const READINGS_REMEMBERED = 1_000;

/** First size of the buffer facts are encoded into; it grows to FACT_MAX_BYTES when needed. Most facts are below 1 KiB. */
export const ENCODE_BUFFER_BYTES = 4 * 1024;

/** Longest wait for one answer of the schema registry. */
export const REGISTRY_TIMEOUT_MS = 10_000;

/** Longest wait for a second opinion on an id that is remembered anyway: the registry must not hold up a start for long. */
export const REGISTRY_VERIFY_TIMEOUT_MS = 2_000;

/** How long "no such id" and "does not answer" are believed without asking again. */
export const REGISTRY_NEGATIVE_MS = 30_000;

/** Unknown ids remembered at once; they come from foreign or damaged records, so anyone can invent them. */
export const REGISTRY_NEGATIVE_ENTRIES = 1_000;

/** Subjects asked for at once; Apicurio lists no more unless told to. */
export const REGISTRY_PAGE_SUBJECTS = 1_000;

/** Requests under way to a registry while its history is read: 3,000 versions take 3 s at 8 ms each; more would be felt by the apps it serves. */
export const REGISTRY_CONCURRENCY = 8;

/** Largest lock file: 300 subjects of 10 versions take 6 MiB. Beyond 512 MiB it would be no text in JavaScript. */
export const LOCK_MAX_BYTES = 64 * 1024 * 1024;

/** Longest wait for one answer of git. The list of 100,000 files takes 0.2 s; what takes a minute is a file system that does not answer. */
export const GIT_DEADLINE_MS = 60_000;

/** Longest answer of git: the list of about 3 million files, at 85 bytes each. */
export const GIT_OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

/** Objects and lists inside each other in one schema: what is compared as Java does it. Jackson, below Avro for Java, reads no more, so the same schemas are refused. */
export const SCHEMA_JSON_MAX_DEPTH = 1_000;

/** JSON values of one schema: about 20,000 fields, ten times what a topic of Kafka's default size can hold. Beyond it the size of the schema would be the attack. */
export const SCHEMA_MAX_NODES = 100_000;

/** Pairs of types compared for one verdict, about 100 MB. Unions multiply: 500 named branches against 500; what has no such unions takes about as many pairs as fields. */
export const COMPATIBILITY_MAX_PAIRS = 250_000;

/** Longest time for which a finding is accepted, in days from today: a year, and some weeks to talk about it again. Beyond it nobody remembers the reason. */
export const ACCEPTANCE_MAX_DAYS = 400;

/** YAML whose documents are kept, about 30 bytes of memory a character: 300 topics and 30 contracts have 0.4 million, and are read at each commit that is compared. */
export const YAML_REMEMBERED_CHARACTERS = 1024 * 1024;

/** Schemas that avsc was found to take, some 15 KB each: what a large repository declares, and what of it changed between commits. */
export const VALID_SCHEMAS_REMEMBERED = 2_000;

/** Files read at once. A process may often have 1,024 open; more than a few dozen gain nothing, since libuv reads in four threads. */
export const FILES_READ_AT_ONCE = 64;

/** Values that stand for one schema: two enums of 250 countries and 180 currencies, at two places each. Of a schema with 900 fields they take 0.8 s to make. */
export const FIXTURES_MAX = 1_000;

/** Largest of them: with key and origin it must stay below FACT_MAX_BYTES, and 1,000 values of 300 characters take about 400 KiB. */
export const FIXTURE_MAX_BYTES = 512 * 1024;
