import { type Checkpoint, type SubscriptionTarget, type Work, claimCheckpoints, createCheckpoints } from 'factline/consumer';
import { FactDecoder, type SelectedFact } from 'factline/contracts';
import { type FactLog, type LogRecord, type TopicState, partitionOf } from 'factline/log';
import type { Executor, Store } from 'factline/store';
import { EmployeeMoved, type EmployeeMovedSelection } from '../../../apps/payroll/src/contracts.generated.js';
import type { ControlScene } from './control-scene.js';

/**
 * BROKEN on purpose: counts facts in SQL without a look at their numbers, and writes its checkpoint in the same transaction, but without asking whether it still
 * stands where it was read: no compare-and-set.
 */
export class UnfencedTally implements SubscriptionTarget {
  readonly #decoder: FactDecoder;
  protected readonly store: Store;

  constructor({ store, schemas, topic }: Pick<ControlScene, 'store' | 'schemas' | 'topic'>) {
    this.store = store;
    const selected: SelectedFact<EmployeeMovedSelection> = { ...EmployeeMoved, topic };
    this.#decoder = new FactDecoder([selected], schemas);
  }

  generation(): Promise<number> {
    return Promise.resolve(1);
  }

  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    await this.store.query('create schema if not exists tally');
    await this.store.query('create table if not exists tally.tally (key text primary key, facts integer not null, last_sequence bigint not null, cents bigint not null)');
    await this.store.query(createCheckpoints('tally'));
    return claimCheckpoints(this.store, 'tally', 1, topics, partitions);
  }

  async apply(checkpoint: Checkpoint, { records, nextOffset }: Work): Promise<Checkpoint | 'fenced'> {
    await this.store.transaction(async (tx) => {
      for (const record of records) await this.take(tx, record);
      await tx.query('update tally.checkpoint set next_offset = $3 where topic = $1 and partition = $2', [checkpoint.topic, checkpoint.partition, nextOffset]);
    });
    return { ...checkpoint, nextOffset };
  }

  recordAsOf(): Promise<void> {
    return Promise.resolve();
  }

  protected async take(db: Executor, { key, value }: LogRecord): Promise<void> {
    await this.#decoder.prepare(this.#decoder.unprepared([value]));
    const { meta, data } = this.#decoder.decode(key.toString(), value)!;
    await db.query(
      `insert into tally.tally as t (key, facts, last_sequence, cents) values ($1, 1, $2, $3)
       on conflict (key) do update set facts = t.facts + 1, last_sequence = excluded.last_sequence, cents = t.cents + excluded.cents`,
      [key.toString(), meta.sequence, (data as EmployeeMovedSelection).salaryCents],
    );
  }
}

/** BROKEN on purpose: a fact that cannot be applied now goes to a retry topic, and those behind it are applied before it comes back. */
export class RetryTopicTally extends UnfencedTally {
  #failed = false;

  constructor(
    scene: Pick<ControlScene, 'store' | 'schemas' | 'topic'>,
    private readonly log: FactLog,
    private readonly retryTopic: string,
    private readonly partitions: number,
    /** Which record fails the first time it is seen. */
    private readonly fails: (record: LogRecord) => boolean,
  ) {
    super(scene);
  }

  protected override async take(db: Executor, record: LogRecord): Promise<void> {
    if (this.#failed || !this.fails(record)) return super.take(db, record);
    this.#failed = true;
    const publisher = await this.log.publisher();
    await publisher.send(this.retryTopic, partitionOf(record.key, this.partitions), [{ key: record.key, value: record.value! }]);
    await publisher.close();
  }

  /** The consumer of the retry topic. */
  async retry(): Promise<void> {
    const [topic] = await this.log.describe([this.retryTopic]);
    await this.log.read({
      topic: this.retryTopic,
      ranges: topic!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })),
      batch: async ({ records }) => {
        for (const record of records) await super.take(this.store, record);
      },
    });
  }
}
