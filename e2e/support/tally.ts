import { type Checkpoint, type SubscriptionTarget, type Work, advanceCheckpoint, claimCheckpoints, createCheckpoints } from 'factline/consumer';
import { FactDecoder, type FactDefinition, type SelectedFact, type WriterSchemas } from 'factline/contracts';
import type { TopicState } from 'factline/log';
import { projection } from 'factline/projections';
import { type Executor, type Store, identifier } from 'factline/store';
import { EmployeeMoved, type EmployeeMovedSelection } from '../../apps/payroll/src/contracts.generated.js';
import { definitionsOn } from '../../bench/employees.js';
import { PARTITIONS } from '../../bench/scene.js';

/** The one fact type of these specs, as its producer declares it on a topic of theirs. */
export function movedOn(topic: string): FactDefinition {
  return definitionsOn(topic, PARTITIONS).get(EmployeeMoved.factName)!;
}

const selectedOn = (topic: string): SelectedFact<EmployeeMovedSelection> => ({ ...EmployeeMoved, topic });

/** Counts and adds up the facts of each key: a fact that is applied twice, or never, is seen in its row. */
export function tally(name: string, topic: string) {
  return projection({ name, version: 1, key: 'key', columns: { key: 'text', facts: 'integer', last_sequence: 'bigint', cents: 'bigint' } }).on(
    selectedOn(topic),
    (row, { key, meta, data }) => ({
      key,
      facts: (row?.facts ?? 0) + 1,
      last_sequence: meta.sequence,
      cents: (row?.cents ?? 0) + (data.salaryCents ?? 0),
    }),
  );
}

/**
 * The same table kept by hand, adding up in SQL without a look at sequences, for the controls: with its checkpoint in the transaction of the effect it is
 * right, with its checkpoint stored afterwards (`apart`) a crash between the two doubles what lies between.
 */
export class HandWrittenTally implements SubscriptionTarget {
  readonly #decoder: FactDecoder;
  readonly #table: string;

  constructor(
    private readonly name: string,
    topic: string,
    private readonly store: Store,
    schemas: WriterSchemas,
    private readonly checkpoint: 'with-the-effect' | 'apart',
    private readonly effectCommitted: () => void,
  ) {
    this.#decoder = new FactDecoder([selectedOn(topic)], schemas);
    this.#table = `${identifier(name)}.${identifier(name)}`;
  }

  generation(): Promise<number> {
    return Promise.resolve(1);
  }

  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    await this.store.query(`create schema if not exists ${identifier(this.name)}`);
    await this.store.query(`create table if not exists ${this.#table} (key text primary key, facts integer not null, last_sequence bigint not null, cents bigint not null)`);
    await this.store.query(createCheckpoints(this.name));
    return claimCheckpoints(this.store, this.name, 1, topics, partitions);
  }

  async apply(checkpoint: Checkpoint, work: Work): Promise<Checkpoint | 'fenced'> {
    await this.#decoder.prepare(this.#decoder.unprepared(work.records.map(({ value }) => value)));
    const moved = await this.store.transaction(async (tx) => {
      if (this.checkpoint === 'with-the-effect' && !(await this.#advance(tx, checkpoint, work))) return false;
      for (const { key, value } of work.records) await this.#add(tx, key.toString(), value!);
      return true;
    });
    if (!moved) return 'fenced';
    this.effectCommitted();
    if (this.checkpoint === 'apart' && !(await this.#advance(this.store, checkpoint, work))) return 'fenced';
    return { ...checkpoint, nextOffset: work.nextOffset };
  }

  async recordAsOf(): Promise<void> {
    // nobody reads it
  }

  async #add(db: Executor, key: string, value: Buffer): Promise<void> {
    const { meta, data } = this.#decoder.decode(key, value)!;
    await db.query(
      `insert into ${this.#table} as t (key, facts, last_sequence, cents) values ($1, 1, $2, $3)
       on conflict (key) do update set facts = t.facts + 1, last_sequence = excluded.last_sequence, cents = t.cents + excluded.cents`,
      [key, meta.sequence, (data as EmployeeMovedSelection).salaryCents],
    );
  }

  /** Without the last fact's id: the log of these specs is never replaced. */
  async #advance(db: Executor, { topic, partition, nextOffset, generation, epoch }: Checkpoint, work: Work): Promise<boolean> {
    const values = [topic, partition, nextOffset, generation, epoch, work.nextOffset, null, null];
    return (await db.query(advanceCheckpoint(this.name), values)).rowCount === 1;
  }
}
