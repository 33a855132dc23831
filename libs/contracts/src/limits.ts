/** Largest value a producer may state. Kafka's default `message.max.bytes` is 1 MiB for a whole batch: 124 KiB are left for key, header and batch overhead. */
export const FACT_MAX_BYTES = 900 * 1024;

/** Longest key. Keys are indexed in Postgres, where a B-tree entry must stay below 2,704 bytes with its other columns. */
export const FACT_KEY_MAX_BYTES = 1024;

/** Largest value that is decoded: what a broker with default settings can hold. */
export const DECODE_MAX_BYTES = 1024 * 1024;

/** Elements of all arrays and maps of one fact together. An element may take no byte at all (null), so the bytes alone bound nothing. */
export const DECODE_MAX_ITEMS = 100_000;

/** Records, arrays and maps inside each other. avsc reads recursively: about 10,000 levels exhaust Node's default stack. */
export const DECODE_MAX_DEPTH = 64;

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
