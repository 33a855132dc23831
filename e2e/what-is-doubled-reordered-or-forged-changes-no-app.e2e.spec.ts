import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Contract, loadContract, loadSchemas, sequenceOf } from 'factline/contracts';
import { fixturesOf } from 'factline/contracts/catalogue';
import { type FactLog, type OutgoingRecord, partitionOf } from 'factline/log';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { type Store, identifier, tableExists } from 'factline/store';
import { factOwner, topicRecords, until } from 'factline/testing';
import { loadConfig } from '../apps/cli/src/config.js';
import { type App, type Estate, estate } from './support/estate.js';
import { ROOT } from './support/root.js';

/** Facts are forged here on topics that other specs read, so this one has a stack of its own. */
const STACK_STARTS_WITHIN = 240_000;
const APP_ENDS_WITHIN = 240_000;
const SETTLED_WITHIN = 60_000;
const ID_AT = 5;
const SEQUENCE_AT = 21;

const config = await loadConfig(ROOT);
const schemas = await loadSchemas(join(ROOT, config.schemas ?? 'schemas'));
const contracts = await Promise.all(Object.values(config.apps).map(({ contracts: file }) => loadContract(join(ROOT, file), schemas)));
/**
 * Apps that read facts of others, and which: in the order in which their owner declares them. Those that read most come first: risk waits for as-of times, and those stand
 * still while a key is blocked, as are the keys of which facts were forged for another app.
 */
const consumers = contracts
  .flatMap(({ app, consumes }) => {
    const read = new Set(consumes.map(({ fact }) => fact.factName));
    const facts = contracts.flatMap((owner) => (owner.app === app ? [] : owner.produces.filter(({ factName, topic }) => read.has(factName) && topic.kind === 'facts' && topic.owner === owner.app)));
    return facts.length > 0 ? [{ app, facts }] : [];
  })
  .toSorted((one, other) => other.facts.length - one.facts.length);

let stack: Stack;
let here: Estate | undefined;

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
}, STACK_STARTS_WITHIN);
afterEach(async () => {
  await here?.close();
  here = undefined;
});
afterAll(() => stack?.stop());

/** A value as somebody writes it who is not the owner's relay: other bytes of the id, and any number below 64. */
function forged(value: Buffer, sequence: number): Buffer {
  const copy = Buffer.from(value);
  randomBytes(16).copy(copy, ID_AT);
  copy[ID_AT + 6] = 0x70; // version 7
  copy[ID_AT + 8] = 0x80;
  copy[SEQUENCE_AT] = 2 * sequence;
  return copy;
}

/** The facts of one key, as they lie in topics. */
class Key {
  constructor(
    readonly key: string,
    private readonly log: FactLog,
    private readonly topics: readonly string[],
  ) {}

  async records(topic: string): Promise<OutgoingRecord[]> {
    return (await topicRecords(this.log, topic)).filter(({ key }) => key.toString() === this.key).map(({ key, value }) => ({ key, value }));
  }

  /** Sends what `made` makes of the records that are there, topic by topic. */
  async send(made: (records: readonly OutgoingRecord[]) => readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.log.publisher();
    for (const topic of this.topics) {
      const { partitions } = (await this.log.describe([topic]))[0]!;
      for (const record of made(await this.records(topic))) await publisher.send(topic, partitionOf(record.key, partitions.length), [record]);
    }
    await publisher.close();
  }
}

/** What a subscription is called, and so the schema in which it keeps its state. */
async function subscriptions({ url }: App): Promise<string[]> {
  const health = (await (await fetch(`${url}/health`)).json()) as { subscriptions?: { name: string }[]; reactions?: { name: string }[] };
  return [...(health.subscriptions ?? []), ...(health.reactions ?? [])].map(({ name }) => name);
}

/** Everything in these topics was read by every subscription of the app that reads them. */
async function settled(app: App, store: Store, log: FactLog, topics: readonly string[]): Promise<void> {
  await until(
    'everything to be read',
    async () => {
      const states = await log.describe(topics);
      const read = new Set<string>();
      for (const name of await subscriptions(app)) {
        const { rows } = await store.query<{ topic: string; partition: number; next: number }>(`select topic, partition, next_offset::float8 as next from ${identifier(name)}.checkpoint`);
        for (const { topic, partition, next } of rows) {
          const end = states.find((state) => state.name === topic)?.partitions[partition]?.end ?? 0;
          if (next < end) return false;
          read.add(topic);
        }
      }
      return topics.every((topic) => read.has(topic));
    },
    SETTLED_WITHIN,
  );
}

/** Every row of the app's own tables and read models, and how much it stated and sent. Positions are left out: they move. */
async function effects(store: Store): Promise<string[]> {
  const { rows: tables } = await store.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema', 'factline') and table_name not in ('checkpoint', 'dead_letter')
        and table_name not like 'progress%' order by 1`,
  );
  const found: string[] = [];
  for (const name of [...tables.map((table) => table.name), 'factline.outbox', 'factline.job', 'factline.waiting_command']) {
    if (!(await tableExists(store, name))) continue;
    const all = await store.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} as t order by 1`);
    found.push(...all.rows.map(({ row }) => `${name} ${row}`));
  }
  return found;
}

async function blockedKeys(store: Store, names: readonly string[]): Promise<string[]> {
  const keys = await Promise.all(names.map(async (name) => (await store.query<{ key: string }>(`select distinct key from ${identifier(name)}.dead_letter`)).rows));
  return keys.flat().map(({ key }) => key);
}

/** Every field as usual. */
function dataOf({ schema, topic }: Contract['produces'][number], key: string): Record<string, unknown> {
  const { meta: _meta, ...data } = fixturesOf(schema).fixtures[0]!.value as Record<string, unknown>;
  return { ...data, [topic.keyField]: key };
}

it('apps that read facts of others are found', () => {
  expect(consumers.map(({ app }) => app)).toEqual(expect.arrayContaining(['payroll', 'inventory', 'reporting', 'risk', 'timesheets', 'recommendations', 'gift-cards']));
});

describe.each(consumers)('$app', ({ app, facts }) => {
  it('is not changed by facts that come again, in any order; a forged number blocks its key', async () => {
    here = await estate({ apps: [app], env: { ...stackEnvironment(stack) } });
    const { world } = here;
    const [log, store, topics] = [world.log(), here.store(app), [...new Set(facts.map(({ topic }) => topic.name))]];
    const owners = new Map(await Promise.all([...new Set(facts.map(({ topic }) => topic.owner))].map(async (owner) => [owner, await factOwner(world, owner, join(ROOT, 'schemas'))] as const)));
    const running = await here.start(app);
    const key = new Key(`${world.name}-1`, log, topics);
    await settled(running, store, log, topics); // what begins with the newest fact has to know which that is
    const before = await effects(store);
    for (const fact of facts) await owners.get(fact.topic.owner)!.state(fact.factName, key.key, dataOf(fact, key.key));
    await until('the facts in their topics', async () => (await Promise.all(topics.map((topic) => key.records(topic)))).flat().length >= facts.length);
    await settled(running, store, log, topics);
    const after = await effects(store);
    expect(after).not.toEqual(before); // the control: what is compared sees a fact

    await key.send((records) => records);
    await key.send((records) => records.toReversed());
    await key.send((records) => [records.at(-1)!, records[0]!]);
    await settled(running, store, log, topics);
    expect(await effects(store)).toEqual(after);
    const names = await subscriptions(running);
    expect(await blockedKeys(store, names)).not.toContain(key.key);

    await key.send((records) => [{ ...records[0]!, value: forged(records[0]!.value!, lastOf(records)) }]); // a number that was given
    await key.send((records) => [{ ...records[0]!, value: forged(records[0]!.value!, lastOf(records) + 5) }]); // one that nobody was given yet
    await settled(running, store, log, topics);
    expect(await effects(store)).toEqual(after);
    expect(await blockedKeys(store, names)).toContain(key.key);
  }, APP_ENDS_WITHIN);
});

function lastOf(records: readonly OutgoingRecord[]): number {
  return Math.max(...records.map(({ value }) => sequenceOf(value)));
}
