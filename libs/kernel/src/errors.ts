/**
 * What went wrong, as data. `kind` decides what the three translators (HTTP filter, consumer failure table, CLI exit code) do;
 * nobody parses a message.
 */
export type ErrorKind =
  /** The input is wrong and will stay wrong: HTTP 400, CLI 2. */
  | 'invalid'
  /** A business rule says no: HTTP 422, CLI 1. */
  | 'refused'
  /** The thing changed meanwhile, or exists already: HTTP 409, CLI 1. */
  | 'conflict'
  /** The named thing does not exist: HTTP 404, CLI 2. */
  | 'not-found'
  /** Something needed does not answer now, trying later may help: HTTP 503, CLI 3; never a dead letter. */
  | 'unavailable'
  /** Somebody else owns this now: the work is dropped without effect, CLI 4. */
  | 'fenced'
  /** Data contradicts a guarantee; a human has to look: HTTP 500, CLI 5. */
  | 'integrity'
  /** Settings or declarations are wrong: the process does not start, CLI 2. */
  | 'configuration'
  /** A defect of this software: HTTP 500, CLI 70. */
  | 'internal';

export interface ErrorParts {
  /** Stable, dotted, lower case: `outbox.full`. Part of the public interface; listed in docs/reference/errors.md. */
  code: string;
  kind: ErrorKind;
  /** What failed and which thing, in one sentence, without secrets or personal values. */
  message: string;
  /** What to do next, in one sentence. */
  advice?: string;
  /** Whether the same call may succeed later. Default: true for `unavailable`, else false. */
  retry?: boolean;
  /** How long to wait before a retry is worth it, milliseconds. */
  retryAfterMs?: number;
  /** Facts for machines: field paths, offsets, names. Never personal values. */
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** Every error that this library throws on purpose. Foreign errors are wrapped once, at the driver that met them. */
export class FactlineError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly advice: string | undefined;
  readonly retry: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(parts: ErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'FactlineError';
    this.code = parts.code;
    this.kind = parts.kind;
    this.advice = parts.advice;
    this.retry = parts.retry ?? parts.kind === 'unavailable';
    this.retryAfterMs = parts.retryAfterMs;
    this.details = parts.details ?? {};
  }
}

/** A business rule that says no: expected, answered to the caller, never retried. Thrown by applications inside a transaction, which then rolls back. */
export class Refusal extends FactlineError {
  constructor(parts: Omit<ErrorParts, 'kind'> & { kind?: 'refused' | 'conflict' | 'not-found' | 'invalid' }) {
    super({ ...parts, kind: parts.kind ?? 'refused' });
    this.name = 'Refusal';
  }
}

/** The message of anything thrown, for logs and wrapped errors. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}
