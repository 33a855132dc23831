import type { Parked } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { LogRecord } from 'factline/log';
import { BLOCKED_KEYS_MAX, BREAKER_FACTS, BREAKER_KEYS } from './limits.js';

/** What fails for the fact itself, today and tomorrow, whatever the database, the registry and the broker do. */
const POISON: ReadonlySet<string> = new Set(['projection.fold-failed', 'projection.row-invalid', 'fact.undecodable', 'fact.unreadable', 'fact.sequence-gap', 'registry.schema-unknown', 'store.value']);

/** Whether an error says that this fact can never be applied as it is by this software. What has no answer yet (`unavailable`) never does. */
export function isPoison(error: unknown): error is FactlineError {
  return error instanceof FactlineError && !error.retry && POISON.has(error.code);
}

/**
 * Which keys of one partition are blocked, and the breaker: one bad fact blocks its key and nothing else, but more than 10 failing keys in 10,000 facts are not bad facts.
 * What is noted counts once it is committed, so a batch works on a copy of it.
 */
export class Blocked {
  readonly #failures: number[] = [];

  constructor(readonly keys: Set<string>) {}

  /** One batch: what it parks, decided in memory. @param held keys of it that are blocked still. @param rejected keys whose rows the database refuses, from their first fact of the batch on. */
  batch(held: ReadonlySet<string>, rejected: ReadonlyMap<string, FactlineError>): ParkingBatch {
    return new ParkingBatch(held, rejected, [...this.#failures], this.keys.size);
  }

  commit(batch: ParkingBatch): void {
    for (const key of batch.failed) this.keys.add(key);
    this.#failures.splice(0, Infinity, ...batch.failures);
  }
}

export class ParkingBatch {
  readonly parked: Parked[] = [];
  readonly failed = new Set<string>();

  constructor(
    private readonly held: ReadonlySet<string>,
    private readonly rejected: ReadonlyMap<string, FactlineError>,
    readonly failures: number[],
    private readonly blocked: number,
  ) {}

  /** Whether a record is not to be applied: its key is blocked, or the database refuses its row. */
  takes(record: LogRecord, key: string): boolean {
    if (this.held.has(key) || this.failed.has(key)) {
      this.parked.push({ record, key });
      return true;
    }
    const refusal = this.rejected.get(key);
    if (refusal) this.fail(record, key, refusal, 0);
    return refusal !== undefined;
  }

  /** Parks a record that failed; its key is blocked from here on. @throws the error itself where it says nothing about the fact, and `projection.breaker` when too many keys fail. */
  fail(record: LogRecord, key: string, error: unknown, seen: number): void {
    if (!isPoison(error) || key === '') throw error;
    while (this.failures.length > 0 && this.failures[0]! <= record.offset - BREAKER_FACTS) this.failures.shift();
    this.failures.push(record.offset);
    if (this.failures.length > BREAKER_KEYS) throw tripped(`${this.failures.length} different keys failed within ${BREAKER_FACTS} facts`, this.parked.find((parked) => parked.error)?.record ?? record, error);
    this.failed.add(key);
    if (this.blocked + this.failed.size > BLOCKED_KEYS_MAX) throw tripped(`more than ${BLOCKED_KEYS_MAX} keys are blocked`, record, error);
    this.parked.push({ record, key, error, seen });
  }
}

function tripped(what: string, first: LogRecord, cause: FactlineError): FactlineError {
  return new FactlineError({
    code: 'projection.breaker',
    kind: 'integrity',
    message: `${what}, so nothing is parked from offset ${first.offset} on. The last: ${cause.message}`,
    advice: 'This is the software or a schema rather than a fact: correct it and restart; the partition waits at this fact.',
    details: { ...cause.details, offset: first.offset },
    cause,
  });
}
