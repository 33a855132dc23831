import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { FactlineError, Refusal } from 'factline/kernel';
import { Store, type TransactionOptions, type Tx, migrate } from 'factline/store';
import { IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_SWEEP_ROWS, RETRY_AFTER_MS } from '../limits.js';
import { type Answer, answerOf } from './answer.js';
import type { RequestContext } from './request-context.js';

/**
 * Requests that may be repeated: with an `Idempotency-Key` header the first one has the effect, later ones get its answer.
 *
 * Promised: the key is stored in the transaction of the effect, so there is never one without the other. The same key with the same request gives the same
 * status, headers and body; with another request `idempotency.key-reused` (422). Of concurrent ones the first has the effect, the others wait for it, or
 * are told to come back (409 with Retry-After) after 5 s.
 * Not promised: anything after 24 hours; that a refusal is repeated (nothing was done, so the rules are asked again).
 */
@Injectable()
export class Idempotency {
  constructor(private readonly store: Store) {}

  /** A transaction of the app's database for one request. Without a key `work` simply runs in it. @throws what `Store.transaction` and `work` throw. */
  transaction<Body>(request: RequestContext, work: (tx: Tx) => Promise<Answer<Body>>, options?: TransactionOptions): Promise<Answer<Body>> {
    return this.store.transaction((tx) => this.#once(tx, request, work), options);
  }

  /** The key is claimed before anything else: whoever waits for it has done nothing yet. */
  async #once<Body>(tx: Tx, request: RequestContext, work: (tx: Tx) => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const key = request.idempotencyKey;
    if (key === undefined) return work(tx);
    const { operation, asked } = request;
    const fingerprint = createHash('sha256').update(JSON.stringify(asked)).digest();
    if (!(await this.#claim(tx, operation, key, fingerprint))) return this.#repeat<Body>(tx, operation, key, fingerprint);
    const answered = await work(tx);
    await tx.query('update factline.idempotency set answer = $3 where operation = $1 and key = $2', [operation, key, JSON.stringify(answered)]);
    return answered;
  }

  /** Waits behind a transaction that holds the same key: its row is ours after its rollback, and there after its commit. */
  async #claim(tx: Tx, operation: string, key: string, fingerprint: Buffer): Promise<boolean> {
    try {
      const { rowCount } = await tx.query(
        'insert into factline.idempotency (operation, key, fingerprint) values ($1, $2, $3) on conflict do nothing',
        [operation, key, fingerprint],
        'factline.idempotency_claim',
      );
      return rowCount === 1;
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'store.locked') throw inProgress(error);
      throw error;
    }
  }

  async #repeat<Body>(tx: Tx, operation: string, key: string, fingerprint: Buffer): Promise<Answer<Body>> {
    const { rows } = await tx.query<{ fingerprint: Buffer; answer: string | null }>(
      'select fingerprint, answer from factline.idempotency where operation = $1 and key = $2',
      [operation, key],
    );
    const stored = rows[0];
    if (!stored?.answer) throw inProgress(undefined); // removed as expired between the two statements
    if (!stored.fingerprint.equals(fingerprint)) throw keyReused();
    return answerOf(JSON.parse(stored.answer) as Answer<Body>);
  }
}

function keyReused(): Refusal {
  return new Refusal({
    code: 'idempotency.key-reused',
    message: 'This Idempotency-Key was used with another request.',
    advice: 'Take a new key for each new request, and the same one only to repeat it.',
  });
}

function inProgress(cause: unknown): FactlineError {
  return new FactlineError({
    code: 'idempotency.in-progress',
    kind: 'conflict',
    message: 'A request with this Idempotency-Key is still being worked on.',
    advice: 'Repeat it with the same key.',
    retry: true,
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  });
}

/** The answer is text, not jsonb: it is given again letter by letter. */
export function migrateIdempotency(store: Store): Promise<string[]> {
  return migrate(store, 'idempotency', [
    {
      name: 'answers by key',
      sql: `
create table factline.idempotency (
  operation text not null,
  key text not null,
  fingerprint bytea not null,
  answer text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (operation, key)
);
create index idempotency_by_age on factline.idempotency (created_at);`,
    },
  ]);
}

/** Removes answers older than 24 hours, by the database's clock. */
export async function sweepIdempotency(store: Store): Promise<void> {
  for (;;) {
    const { rowCount } = await store.query(
      `delete from factline.idempotency where (operation, key) in
         (select operation, key from factline.idempotency where created_at < clock_timestamp() - $1 * interval '1 millisecond' limit $2 for update skip locked)`,
      [IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_SWEEP_ROWS],
    );
    if (rowCount < IDEMPOTENCY_SWEEP_ROWS) return;
  }
}
