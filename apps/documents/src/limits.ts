/** Every bound of this app, with its unit in the name and the reason beside it. */

/** Largest file: a book of 1,000 full pages without pictures has 4 MB, not compressed. It is held in memory while it is taken in and while it is parsed. */
export const FILE_BYTES = 10 * 1024 * 1024;
/** Longest text of a document, in UTF-16 code units: War and Peace has 3 million. Its pieces are written by one statement. */
export const CHARACTERS = 5_000_000;
/** Pages of a document, unless DOCUMENTS_PAGES says otherwise: so many full ones took 9 s on a busy machine, half of the time there is. */
export const PAGES = 1_000;
/** How long reading one PDF may take. Postgres ends a transaction that is idle for 30 s, and this one is meanwhile. */
export const PARSE_TIMEOUT_MS = 20_000;
/** Heap of the thread that reads a PDF: a book of 1,000 full pages takes less than 100 MB, buffers included. Beyond it the thread ends, and the process lives. */
export const PARSER_HEAP_MB = 256;
/** What the process may grow by while a PDF is read: buffers are in no heap, and 10 MiB may unpack to a thousand times as much. Five times what that book takes, for uploads come in meanwhile. */
export const PARSER_GROWTH_BYTES = 512 * 1024 * 1024;
/** How often that is looked at: a file made to unpack without end was seen to grow by 10 to 40 MB in this time. */
export const PARSER_LOOK_MS = 100;
/** Longest piece of a text: a few paragraphs, which is what a reader is shown around a word that was found. */
export const CHUNK_CHARACTERS = 1_000;
/** Jobs that may wait before uploads are refused: at 10 MiB each 10 GB of the database. */
export const BACKLOG_JOBS = 1_000;

/** Longest name of a document: file systems have 255 bytes. */
export const NAME_CHARACTERS = 200;
/** Longest question to the search. */
export const QUERY_CHARACTERS = 200;
/** Documents that a search answers, by default and at most. */
export const RESULTS = 10;
export const RESULTS_MAX = 50;
/** Pieces that are ranked for one search: a word that is in more of them tells little, and ranking reads each of them. */
export const RANKED_CHUNKS = 5_000;
/** Excerpts of one document in an answer. */
export const EXCERPTS = 3;
