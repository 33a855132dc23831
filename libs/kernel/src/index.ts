export { type Clock, systemClock } from './clock.js';
export { type Duration, milliseconds } from './duration.js';
export { type ErrorKind, type ErrorParts, FactlineError, Refusal, messageOf } from './errors.js';
export { grouped } from './grouped.js';
export { formatId, isId, newId, parseId } from './ids.js';
export { Lifecycle } from './lifecycle.js';
export { type Logger, silentLogger } from './logger.js';
export { type Backoff, backoffMs } from './retry.js';
export { Signal, detached, pause } from './signal.js';
