import { type Checkpoint, FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { type FactLog, type LogRecord, type OutgoingRecord, partitionOf } from 'factline/log';
import { type Store, migrateSchemaMemory, schemaMemory } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { KINDS, type AccountRow, type Stated, accounts, expected, recordOf, schemaIdOfKind, writerSchema, writers } from './accounts.spec.support.js';
import { LiveProjection, type Projection, Rebuild, type RebuildOptions, migrateProjections } from './index.js';

/** A database with the shared tables in it, and a log; scenes in it have their own topic and projection. */
export interface Site {
  at: World;
  url: string;
  store: Store;
  log: FactLog;
  scene(partitions?: number): Promise<Scene>;
  close(): Promise<void>;
}

export async function site(): Promise<Site> {
  const at = await world();
  const url = await at.database('app');
  const store = at.store(url);
  const log = at.log();
  await migrateSchemaMemory(store);
  await migrateProjections(store);
  for (const kind of KINDS) await schemaMemory(store).remember({ id: schemaIdOfKind(kind), subject: `spec.${kind}`, schema: writerSchema(kind) });
  let scenes = 0;
  return {
    at,
    url,
    store,
    log,
    scene: async (partitions = 3) => {
      const name = `accounts_${++scenes}`;
      const topic = at.topic(name);
      await log.createTopics([{ name: topic, partitions, settings: { 'retention.ms': '-1' } }]);
      return new Scene(at, url, store, log, topic, name, partitions);
    },
    close: () => at.close(),
  };
}

/** One topic, one projection of it, and everything stated so far. */
export class Scene {
  readonly history: Stated[] = [];
  readonly projection: ReturnType<typeof accounts>;
  readonly #records = new Map<Stated, OutgoingRecord>();
  readonly #stops: (() => Promise<unknown>)[] = [];
  readonly group: string;

  constructor(
    readonly at: World,
    readonly url: string,
    readonly store: Store,
    readonly log: FactLog,
    readonly topic: string,
    readonly name: string,
    readonly partitions: number,
  ) {
    this.projection = accounts(topic, { name });
    this.group = `${at.name}.${name}`;
  }

  partitionOf(key: string): number {
    return partitionOf(Buffer.from(key), this.partitions);
  }

  /** Publishes in the given order per partition; a step given again is the same record again. */
  async publish(stated: readonly Stated[]): Promise<void> {
    for (const each of stated) {
      if (this.#records.has(each)) continue;
      this.#records.set(each, recordOf(each));
      this.history.push(each);
    }
    const publisher = await this.log.publisher();
    for (let partition = 0; partition < this.partitions; partition++) {
      const records = stated.filter(({ key }) => this.partitionOf(key) === partition).map((each) => this.#records.get(each)!);
      if (records.length > 0) await publisher.send(this.topic, partition, records);
    }
    await publisher.close();
  }

  async publishRaw(partition: number, records: readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.log.publisher();
    await publisher.send(this.topic, partition, records);
    await publisher.close();
  }

  async live(projection: Projection = this.projection, store = this.store): Promise<LiveProjection> {
    const live = new LiveProjection(projection, store, new FactDecoder(projection.facts, writers));
    await live.prepare();
    return live;
  }

  /** Takes over all partitions, as an assignment does. */
  async claim(live: LiveProjection): Promise<Checkpoint[]> {
    return live.claim(await this.log.describe([this.topic]), Array.from({ length: this.partitions }, (_, partition) => ({ topic: this.topic, partition })));
  }

  /** Everything from a position on. */
  async read(partition: number, from = 0): Promise<LogRecord[]> {
    const [topic] = await this.log.describe([this.topic]);
    const records: LogRecord[] = [];
    const { end } = topic!.partitions[partition]!;
    if (from < end) await this.log.read({ topic: this.topic, ranges: [{ partition, from, to: end }], batch: (batch) => void records.push(...batch.records) });
    return records;
  }

  /** Applies all there is, without a group: batches of the given sizes in turn. */
  async feed(live: Pick<LiveProjection, 'apply'>, sizes: readonly number[] = [1_000], claimed?: readonly Checkpoint[]): Promise<Checkpoint[]> {
    const reached: Checkpoint[] = [];
    for (const first of claimed ?? (await this.claim(live as LiveProjection))) {
      let checkpoint = first;
      const records = await this.read(checkpoint.partition, checkpoint.nextOffset);
      for (let from = 0, turn = 0; from < records.length; turn++) {
        const batch = records.slice(from, (from += sizes[turn % sizes.length]!));
        const applied = await live.apply(checkpoint, { records: batch, nextOffset: batch.at(-1)!.offset + 1 });
        if (applied === 'fenced') throw new Error('fenced');
        checkpoint = applied;
      }
      reached.push(checkpoint);
    }
    return reached;
  }

  /** Another `group` has all partitions as well, as another app would. */
  subscribe(live: LiveProjection, freshness = new Freshness(), group = this.group): FactSubscription {
    const subscription = new FactSubscription({ name: this.name, group, topics: [this.topic], log: this.log, target: live, freshness });
    subscription.start();
    this.onClose(() => subscription.stop());
    return subscription;
  }

  /** Everything published is applied by the subscription, and the table is what it must be. */
  async settled(subscription: FactSubscription): Promise<void> {
    await this.caughtUp(subscription);
    expect(await this.rows()).toEqual(expected(this.history));
  }

  async caughtUp(subscription: FactSubscription): Promise<void> {
    const [topic] = await this.log.describe([this.topic]);
    await until(`${this.name} is up to date`, () => {
      const { state, partitions } = subscription.status;
      return state === 'LIVE' && topic!.partitions.every(({ end }, partition) => partitions.some((each) => each.partition === partition && each.nextOffset >= end));
    }, 15_000).catch((error: Error) => Promise.reject(new Error(`${error.message} ${JSON.stringify(subscription.status)}`)));
  }

  async rebuild(options: Partial<RebuildOptions> = {}): Promise<Rebuild> {
    const connections = { databaseUrl: this.url, kafka: { brokers: this.at.kafka }, registryUrl: this.at.registryUrl };
    const rebuild = await Rebuild.open({ projection: this.projection, connections, ...options });
    this.onClose(() => rebuild.close());
    return rebuild;
  }

  async rows(schema = this.name): Promise<Map<string, AccountRow>> {
    const { rows } = await this.store.query<AccountRow>(
      `select account_id, owner, balance::double precision as balance, payments, note, tags from ${schema}.${this.name}`,
    );
    return new Map(rows.map((row) => [row.account_id, row]));
  }

  /** Keys without a row, and the sequence at which they were deleted. */
  async deletions(schema = this.name): Promise<Map<string, number>> {
    const { rows } = await this.store.query<{ key: string; sequence: number }>(
      `select key, sequence::integer as sequence from ${schema}.gone where key not in (select account_id from ${schema}.${this.name})`,
    );
    return new Map(rows.map(({ key, sequence }) => [key, sequence]));
  }

  async checkpoint(partition: number, schema = this.name): Promise<{ next_offset: string; generation: number; epoch: string }> {
    const { rows } = await this.store.query<{ next_offset: string; generation: number; epoch: string }>(
      `select next_offset, generation, epoch from ${schema}.checkpoint where partition = $1`,
      [partition],
    );
    return rows[0]!;
  }

  onClose(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }
}

/** The next sequences of the keys of a history. */
export function lastSequences(history: readonly Stated[]): Map<string, number> {
  return new Map(history.map(({ key, sequence }) => [key, sequence]));
}

/** Waits until a session of this database waits for a lock held by another one. @returns its process id. */
export async function waitingSession(store: Store, statement: RegExp): Promise<number> {
  return until('a statement waits for a lock', async () => {
    const { rows } = await store.query<{ pid: number; query: string }>(
      "select pid, query from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0",
    );
    return rows.find(({ query }) => statement.test(query))?.pid;
  });
}
