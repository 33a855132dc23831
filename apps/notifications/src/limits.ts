/** How long a provider may take to answer. A yes that comes later is a repetition, so it is long; the handler holds a transaction meanwhile, which the database ends after 30 idle seconds. */
export const PROVIDER_TIMEOUT = '15s';
/** A stop waits for the providers that are being asked; orchestrators kill after 30 s. */
export const SHUTDOWN_DEADLINE = '20s';
/** Of a handler: the provider's time and that of the database. */
export const HANDLER_TIMEOUT = '25s';
/** Handlers of a queue that run at once in a process, and reactions of a subscription: each holds a database connection while it waits. */
export const CONCURRENCY = 4;
/** Attempts at what failed without saying whether it passes; then it is a dead letter. */
export const ATTEMPTS = 3;
/** A mail that could not be sent for so long is not sent any more: mail servers give up after four to five days themselves (RFC 5321, 4.5.4.1). */
export const MAIL_WORTH_MS = 5 * 24 * 60 * 60 * 1_000;
/** Characters of one value in a subject or a text: no id is longer. */
export const VALUE_CHARACTERS = 100;
/** What is read of a provider's answer, bytes: an id is a hundredth of it. */
export const ANSWER_BYTES = 16 * 1024;
/** Characters of an id that a provider gives. */
export const MESSAGE_ID_CHARACTERS = 500;
/** The longest wait that a provider may ask for. */
export const RETRY_AFTER_MAX_MS = 60_000;
