import { until } from 'factline/testing';
import { type CrashSite, crashSite } from '../support/crash-scene.js';
import { type CommittedFact, tableFaults, topicFaultsWithoutRepetitions } from '../support/effect-once.js';
import type { StatedFact } from '../support/employee-topic.js';
import type { Program } from '../support/program.js';

const IN_ORDER = { code: 0, signal: null };

let site: CrashSite;

beforeAll(async () => {
  site = await crashSite();
});

afterEach(() => site.clear());
afterAll(() => site?.close());

const ownerNow = async () => (await site.store.query<{ owner: string }>('select owner from factline.relay')).rows[0]!.owner;
const owns = (program: Program) => until(`process ${program.pid} to own the outbox`, async () => (await ownerNow())?.endsWith(`:${program.pid}`));

it('A4: an owner that was paused beyond its lease sends what it has in hand, and nothing else of it counts', async () => {
  const scene = await site.scene('two_owners');
  const { ledger } = scene;
  const consumer = scene.consumer();
  await ledger.wave();
  const stale = scene.relay({ freezeAt: { name: 'tick-read', nth: 3 } });
  await until('the owner to stand still with a page in hand', () => stale.lines.some(({ reached }) => reached === 'tick-read'));
  const successor = scene.relay();
  await owns(successor); // when the server has ended the session of the silent one, 15 s later
  await ledger.wave();
  const before = await scene.published(successor);

  stale.signal('SIGCONT');
  await until('the stale owner to know', () => /the relay (lost the outbox|cannot work)/.test(stale.stderr));
  await ledger.wave();
  await until('everything on the topic', async () => topicFaultsWithoutRepetitions(ledger.committed, await scene.stated()).length === 0);
  expect((await scene.stated()).length).toBeGreaterThan(Math.max(before.length, ledger.committed.length)); // the control: it did send its page, too late
  expect(await ownerNow()).toMatch(`:${successor.pid}`);

  expect(await successor.stop()).toEqual(IN_ORDER);
  await owns(stale); // it stands by, and takes its turn again
  await ledger.wave();
  const found = await scene.published(stale);
  expect(topicFaultsWithoutRepetitions(ledger.committed, found)).toEqual([]);
  expect(tableFaults(ledger.committed, await scene.appliedBy(consumer))).toEqual([]);
  expect([await stale.stop(), await consumer.stop()]).toEqual([IN_ORDER, IN_ORDER]);
});

it('A12: while an old snapshot holds back vacuum, published facts are gone with their table, and no row was updated or deleted', async () => {
  const scene = await site.scene('old_snapshot');
  const reader = await site.store.session();
  await reader.query('begin isolation level repeatable read');
  await reader.query('select from pg_class limit 1'); // not the outbox itself: that would hold its tables
  const slots = "select sum(n_tup_upd + n_tup_del)::integer as touched, (select count(*)::integer from factline.outbox) as left from pg_stat_user_tables where schemaname = 'factline' and relname ~ '^outbox_[0-9]$'";
  const relay = scene.relay();
  for (let wave = 0; wave < 4; wave++) await scene.ledger.wave();
  const found = await scene.published(relay);
  await until('slots to be emptied', async () => (await site.store.query<{ left: number }>(slots)).rows[0]!.left < found.length / 2);
  expect((await site.store.query<{ touched: number }>(slots)).rows[0]!.touched).toBe(0);
  const { rows } = await site.store.query("select from pg_stat_activity where state = 'idle in transaction' and backend_xmin is not null and datname = current_database()");
  expect(rows).toHaveLength(1); // the control: the snapshot is held still
  await reader.close();
  expect(await relay.stop()).toEqual(IN_ORDER);
});

describe('the check of A4', () => {
  const committed: CommittedFact[] = [1, 2, 3].map((sequence) => ({ key: 'k', sequence, id: `id-${sequence}`, cents: sequence }));
  const stated = (sequences: readonly number[]) =>
    sequences.map((sequence, offset) => ({ key: 'k', sequence, offset, id: `id-${sequence}`, data: { salaryCents: sequence } }) as unknown as StatedFact);

  it('passes late repetitions, and finds a missing fact, another order and an invented fact', () => {
    expect(topicFaultsWithoutRepetitions(committed, stated([1, 2, 3, 1, 2]))).toEqual([]);
    expect(topicFaultsWithoutRepetitions(committed, stated([1, 2, 1]))).toEqual(['k/3 is missing']);
    expect(topicFaultsWithoutRepetitions(committed, stated([1, 3, 2]))).toEqual(['k: number 3 at offset 1 follows number 1']);
    expect(topicFaultsWithoutRepetitions(committed, stated([1, 2, 3, 4]))).toEqual(['k/4 at offset 3 was never committed']);
  });
});
