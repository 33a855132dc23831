import { FactSubscription, Freshness } from 'factline/consumer';
import { type Fact, FactDecoder, FactEncoder, type TopicDeclaration, type WriterSchemas, defineFact, withSequence } from 'factline/contracts';
import { type FactLog, type MemoryBroker, type OutgoingRecord, memoryBroker, memoryLog, partitionOf } from 'factline/log';
import type { Store, Tx } from 'factline/store';
import { type World, factSchemaInSpec, selectInSpec, until, world } from 'factline/testing';
import { LiveReactions, type ReactionOptions, type Reactions, migrateReactions, reactions } from './index.js';

const FIELDS = [{ name: 'orderId', type: 'string' }, { name: 'cents', type: 'long' }];
export const KINDS = ['Placed', 'Paid', 'Noted'] as const;
export type Kind = (typeof KINDS)[number];
const FIRST_ID = 2_000_000_100;
const schemaOf = (kind: Kind) => factSchemaInSpec(`shop.${kind}`, FIELDS);
export const writers: WriterSchemas = { byId: async (id) => schemaOf(KINDS[id - FIRST_ID]!) };
export interface Order {
  orderId: string;
  cents: number;
}

const PARTITIONS = 3;
const topic: TopicDeclaration = { name: 'orders', owner: 'shop', keyField: 'orderId', partitions: PARTITIONS, kind: 'facts', settings: {} };
const types = Object.fromEntries(KINDS.map((kind) => [kind, defineFact<Order, 'orderId'>({ factName: `shop.${kind}`, topic, keyField: 'orderId', schema: schemaOf(kind) })])) as unknown as Record<Kind, (key: string, data: { cents: number }) => Fact>;
const select = (kind: Kind) => selectInSpec<Order>({ factName: `shop.${kind}`, topic: 'orders', schema: { type: 'record', name: kind, namespace: 'shop', fields: FIELDS }, fingerprint: kind });
export const OrderPlaced = select('Placed');
export const OrderPaid = select('Paid');

const encoder = new FactEncoder();
/** A fact as the relay publishes it; equal calls give facts with different ids. */
export function fact(key: string, sequence: number, kind: Kind = 'Paid', cents = 1): OutgoingRecord {
  return { key: Buffer.from(key), value: withSequence(encoder.encode(types[kind](key, { cents }), FIRST_ID + KINDS.indexOf(kind)).value, sequence) };
}

/** As a producer writes that is not the relay. */
export function unnumbered(key: string): Buffer {
  return encoder.encode(types.Paid(key, { cents: 1 }), FIRST_ID + KINDS.indexOf('Paid')).value;
}

/** A database with one effect journal, and a log in memory; each shop has a topic of its own. */
export interface Site {
  readonly at: World;
  readonly store: Store;
  readonly url: string;
  shop(): Promise<Shop>;
  close(): Promise<void>;
}

export async function site(): Promise<Site> {
  const at = await world();
  const url = await at.database('shop');
  const store = at.store(url);
  await migrateReactions(store);
  // No constraint: an effect that happens twice has to be seen.
  await store.query('create table journal (number bigint generated always as identity, name text not null, key text not null, sequence integer not null, kind text not null)');
  let shops = 0;
  return {
    at,
    url,
    store,
    shop: async () => {
      const broker = memoryBroker();
      const log = memoryLog({ broker });
      await log.createTopics([{ name: 'orders', partitions: PARTITIONS }]);
      return new Shop(store, broker, log, `mails_${++shops}`);
    },
    close: () => at.close(),
  };
}

export interface Effect {
  key: string;
  sequence: number;
  kind: string;
}

export class Shop {
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor(
    readonly store: Store,
    readonly broker: MemoryBroker,
    readonly log: FactLog,
    readonly name: string,
  ) {}

  async publish(...records: readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.log.publisher();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const here = records.filter(({ key }) => partitionOf(key, PARTITIONS) === partition);
      if (here.length > 0) await publisher.send('orders', partition, here);
    }
    await publisher.close();
  }

  reactions(options: Partial<ReactionOptions> = {}): Reactions {
    return reactions({ name: this.name, from: 'beginning', retry: { delay: 5, maxDelay: 20 }, ...options });
  }

  /** Notes each payment in the journal; `fails` is asked first. */
  journal(fails: (key: string, sequence: number) => unknown = () => undefined, options?: Partial<ReactionOptions>): Reactions {
    return this.reactions(options).on(OrderPaid, async ({ key, meta }, tx) => {
      await fails(key, meta.sequence);
      await this.note(tx, key, meta.sequence, 'Paid');
    });
  }

  async note(tx: Tx, key: string, sequence: number, kind: string): Promise<void> {
    await tx.query('insert into journal (name, key, sequence, kind) values ($1, $2, $3, $4)', [this.name, key, sequence, kind]);
  }

  live(made: Reactions, store = this.store): LiveReactions {
    return new LiveReactions(made, store, new FactDecoder(made.facts, writers));
  }

  subscribe(made: Reactions, live = this.live(made), group = this.name): FactSubscription {
    const subscription = new FactSubscription({ name: this.name, group, topics: ['orders'], log: this.log, target: live, freshness: new Freshness() });
    subscription.start();
    this.onClose(() => subscription.stop());
    return subscription;
  }

  /** Everything published has been read and finished, or waits as a dead letter. */
  async settled(subscription: FactSubscription): Promise<void> {
    const [state] = await this.log.describe(['orders']);
    await until('everything to be finished', async () => {
      const { rows } = await this.store.query<{ partition: number; next_offset: string }>(`select partition, next_offset from ${this.name}.checkpoint`).catch(() => ({ rows: [] }));
      return state!.partitions.every(({ end }, partition) => Number(rows.find((row) => row.partition === partition)?.next_offset ?? 0) >= end);
    }, 10_000).catch((error: Error) => Promise.reject(new Error(`${error.message} ${JSON.stringify(subscription.status)}`)));
  }

  async effects(): Promise<Effect[]> {
    return (await this.store.query<Effect>('select key, sequence, kind from journal where name = $1 order by number', [this.name])).rows;
  }

  /** Of one key, in the order in which they happened. */
  async sequences(key: string): Promise<number[]> {
    return (await this.effects()).filter((effect) => effect.key === key).map(({ sequence }) => sequence);
  }

  async letters(): Promise<{ key: string; sequence: number | null; code: string | null }[]> {
    return (await this.store.query<{ key: string; sequence: number | null; code: string | null }>(`select key, sequence::integer as sequence, code from ${this.name}.dead_letter order by key, record_offset`)).rows;
  }

  onClose(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
    await this.log.close();
  }
}
