import { type EncodedFact, type Fact, type FactDefinition, FactEncoder } from 'factline/contracts';
import { type Clock, FactlineError, type Logger, type Signal } from 'factline/kernel';
import { type Store, type Tx, assertTx, causeOf, traceOf } from 'factline/store';
import { ADD_MANY_FACTS, TRACEPARENT_CHARACTERS } from './limits.js';
import { type Pressure, PressureGauge, type PressureLimits, measureBacklog, outboxFull, pressureLimits } from './pressure.js';
import { ADD, ADD_TO } from './schema.js';
import { tokenOf } from './token.js';

/** Answers the registered writer schema's id, from memory: `add` runs in requests and asks nobody. */
export interface SchemaIds {
  /** @throws FactlineError when the id of this fact type was not resolved at start. */
  idOf(definition: FactDefinition): number;
}

export interface FactOutboxOptions {
  /** The app's database: its backlog is measured here. */
  store: Store;
  schemaIds: SchemaIds;
  encoder?: FactEncoder;
  /** Told after each commit; give the same one to a Relay in this process, which then publishes at once instead of at its next poll. */
  wake?: Signal;
  /** Limits of the backlog; see limits.ts for the defaults and their reasons. */
  limits?: Partial<PressureLimits>;
  /** The sampled trace of the current request as a W3C traceparent, or undefined. What a transaction is traced by (`tracedBy`) goes before it. */
  traceparent?: () => string | undefined;
  clock?: Clock;
  log?: Logger;
}

/** A fact that becomes true with the commit of its transaction. */
export interface Stated {
  /** UUID version 7, `meta.id` of the fact. */
  id: string;
  topic: string;
  key: string;
  /** 1, 2, 3 ... without holes within (topic, key). */
  sequence: number;
  /** Opaque; `readToken` opens it. A reader that waits for it sees this fact. */
  token: string;
}

interface AddedRow {
  sequence: string;
}

// The function runs once per element in the order of the arrays: a lateral join over an ordinality has no other way to run.
const ADD_MANY = `select added.sequence from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as given (topic, key, value, place)
  cross join lateral factline.outbox_add(given.topic, given.key, given.value, $4) as added order by given.place`;

/**
 * The only way a fact leaves an app: stated in the transaction that makes it true.
 *
 * Promised: the fact is published after the commit and never without it; facts of one (topic, key) are numbered 1, 2, 3 ... without holes and published in
 * that order; one SQL call per fact. Not promised: order between keys, and a single delivery: after a crash a fact may be published again with the same number.
 *
 * The row lock of the key is held until the transaction ends, so transactions that state facts of the same key run one after another. Transactions that state
 * facts of several keys in different orders can deadlock; `Store.transaction` runs the loser again.
 *
 * Limits: a fact 900 KiB; a backlog of 1 million facts, 1 GiB or one day (`outbox.full`, with `retryAfterMs`), measured once a second after `start`.
 */
export class FactOutbox {
  readonly #options: FactOutboxOptions;
  readonly #encoder: FactEncoder;
  readonly #gauge: PressureGauge;
  readonly #wake: () => void;
  #add = ADD;

  constructor(options: FactOutboxOptions) {
    this.#options = options;
    this.#encoder = options.encoder ?? new FactEncoder();
    this.#wake = () => options.wake?.notify();
    this.#gauge = new PressureGauge({
      measure: async () => {
        const { backlog, slot } = await measureBacklog(options.store);
        this.#add = ADD_TO[slot] ?? ADD;
        return backlog;
      },
      limits: { ...pressureLimits, ...options.limits },
      ...(options.clock && { clock: options.clock }),
      ...(options.log && { log: options.log }),
    });
  }

  /** Begins to measure the backlog. Without it nothing is ever refused. */
  start(): void {
    this.#gauge.start();
  }

  async stop(): Promise<void> {
    await this.#gauge.stop();
  }

  /** The backlog as last measured, at most a second ago: for admission, health and metrics. */
  pressure(): Pressure {
    return this.#gauge.current;
  }

  /**
   * States a fact in an open transaction.
   * @throws FactlineError `store.not-a-transaction`; `outbox.full` (unavailable, `retryAfterMs`); `fact.invalid` with `details.path`; `fact.too-large`.
   */
  async add(tx: Tx, fact: Fact): Promise<Stated> {
    assertTx(tx);
    return this.addEncoded(tx, { ...this.#encode(tx, fact), topic: fact.type.topic.name, key: fact.key });
  }

  /** Checks and encodes a fact as `add` does, to be stated later, perhaps by another process: `addEncoded`. @throws what `add` throws of the fact itself. */
  encode(tx: Tx, fact: Fact): EncodedFact {
    return this.#encode(tx, fact);
  }

  /** States what `encode` answered: once, or a reader finds two facts with one id. @throws FactlineError `store.not-a-transaction`; `outbox.full`. */
  async addEncoded(tx: Tx, { id, value, topic, key, traceparent = this.#traceparent(tx) }: EncodedFact & { topic: string; key: string; traceparent?: string | null }): Promise<Stated> {
    assertTx(tx);
    this.#refuseWhenFull();
    const { rows } = await tx.query<AddedRow>(this.#add.text, [topic, key, value, traceparent], this.#add.name);
    tx.onCommit(this.#wake);
    return stated(id, topic, key, rows[0]!);
  }

  /**
   * States up to 1,000 facts in their order with one SQL call. @throws what `add` throws, and `outbox.too-many` (invalid).
   */
  async addMany(tx: Tx, facts: readonly Fact[]): Promise<Stated[]> {
    assertTx(tx);
    if (facts.length > ADD_MANY_FACTS) throw tooMany(facts.length);
    const encoded = facts.map((fact) => this.#encode(tx, fact));
    const topics = facts.map((fact) => fact.type.topic.name);
    const keys = facts.map((fact) => fact.key);
    const values = encoded.map(({ value }) => value);
    const { rows } = await tx.query<AddedRow>(ADD_MANY, [topics, keys, values, this.#traceparent(tx)], 'factline.outbox_add_many');
    tx.onCommit(this.#wake);
    return rows.map((row, at) => stated(encoded[at]!.id, topics[at]!, keys[at]!, row));
  }

  /** What the fact does not say of its cause, the transaction may know. */
  #encode(tx: Tx, fact: Fact): EncodedFact {
    this.#refuseWhenFull();
    const cause = causeOf(tx);
    const caused = cause ? { ...fact, context: { ...cause, ...fact.context } } : fact;
    return this.#encoder.encode(caused, this.#options.schemaIds.idOf(fact.type));
  }

  #refuseWhenFull(): void {
    if (this.#gauge.isHard) throw outboxFull(this.#gauge.current);
  }

  /** A trace that cannot be carried is dropped: it must never fail the business transaction. */
  #traceparent(tx: Tx): string | null {
    const traceparent = traceOf(tx) ?? this.#options.traceparent?.();
    return traceparent && traceparent.length <= TRACEPARENT_CHARACTERS ? traceparent : null;
  }
}

function stated(id: string, topic: string, key: string, row: AddedRow): Stated {
  const sequence = Number(row.sequence);
  return { id, topic, key, sequence, token: tokenOf(topic, key, sequence) };
}

function tooMany(count: number): FactlineError {
  return new FactlineError({
    code: 'outbox.too-many',
    kind: 'invalid',
    message: `${count} facts were given to one addMany; ${ADD_MANY_FACTS} are taken.`,
    advice: 'Add them in several calls, or in several transactions: each holds the locks of its keys until it commits.',
  });
}
