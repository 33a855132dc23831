import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { type ErrorKind, FactlineError } from 'factline/kernel';
import { FAULTS_SHOWN, RETRY_AFTER_MS } from '../limits.js';

/** What is wrong with one field. */
export interface FieldFault {
  path: string;
  message: string;
}

/** An answer that says what went wrong, as RFC 9457 has it; `code` is stable, `detail` is for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  advice?: string;
  correlationId: string;
  errors?: readonly FieldFault[];
}

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  refused: 422,
  conflict: 409,
  'not-found': 404,
  unavailable: 503,
  fenced: 409,
  integrity: 500,
  configuration: 500,
  internal: 500,
};

/** Where HTTP has a more exact word than the kind. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'admin.unauthorized': 401,
  'admission.limited': 429,
  'precondition.failed': 412,
  'request.too-large': 413,
  'request.media-type': 415,
  'store.forbidden': 500, // our database role, not the caller
};

/** The one place where errors become HTTP: status, body, and seconds for Retry-After. Nothing of a foreign or internal error is told but the correlation id. */
export function problemOf(thrown: unknown, correlationId: string): { problem: Problem; retryAfterSeconds?: number } {
  const error = thrown instanceof FactlineError ? thrown : undefined;
  if (!error) return { problem: foreign(thrown, correlationId) };
  const status = STATUS_BY_CODE[error.code] ?? STATUS[error.kind];
  if (status === 500) return { problem: problem(500, error.code, HIDDEN, correlationId, 'Tell us the correlation id.') };
  // The driver's text may repeat values of the row.
  const detail = error.code.startsWith('store.') ? 'The database did not do this.' : error.message;
  const waits = status === 503 || error.retryAfterMs !== undefined;
  return {
    problem: { ...problem(status, error.code, detail, correlationId, error.advice), ...faultsOf(error) },
    ...(waits && { retryAfterSeconds: Math.max(1, Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1_000)) }),
  };
}

const HIDDEN = 'Something went wrong on our side.';

function problem(status: number, code: string, detail: string, correlationId: string, advice?: string): Problem {
  return { type: `urn:factline:problem:${code}`, title: STATUS_CODES[status] ?? 'Error', status, code, detail, ...(advice !== undefined && { advice }), correlationId };
}

/** Field faults of validation, or the one path that the encoder of facts names. */
function faultsOf(error: FactlineError): { errors?: readonly FieldFault[] } {
  const { errors, path } = error.details as { errors?: readonly FieldFault[]; path?: string };
  if (errors) return { errors: errors.slice(0, FAULTS_SHOWN) };
  return error.kind === 'invalid' && typeof path === 'string' ? { errors: [{ path, message: error.message }] } : {};
}

const WORDS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read.',
  404: 'There is nothing at this address.',
  413: 'The request body is too large.',
  415: 'Send the body as application/json in UTF-8.',
};

/** Errors of Nest and of the body parser keep their status; everything else is 500. */
function foreign(thrown: unknown, correlationId: string): Problem {
  if (thrown instanceof HttpException) {
    const status = thrown.getStatus();
    return problem(status, `http.${status}`, status >= 500 ? HIDDEN : (WORDS[status] ?? thrown.message), correlationId);
  }
  const status = (thrown as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500) return problem(status, `http.${status}`, WORDS[status] ?? 'The request is refused.', correlationId);
  return problem(500, 'internal', HIDDEN, correlationId, 'Tell us the correlation id.');
}
