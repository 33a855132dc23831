import { until } from 'factline/testing';
import { type CrashScene, type CrashSite, crashSite } from '../support/crash-scene.js';
import { needing } from '../support/fault-rows.js';
import { controlGroup, withoutControlGroup } from '../support/machine.js';
import type { Program } from '../support/program.js';

/** A full backlog for one process: 200 facts of each of 1,000 keys, about 30 MB in the outbox. */
const [KEYS, EACH] = [1_000, 200];
const MEMORY = 256 * 1_024 * 1_024;
const PAGE_ROWS = 3_000;
/** Time of every 100 ms that a process may run. */
const TENTH = { 'cpu.cfs_period_us': 100_000, 'cpu.cfs_quota_us': 10_000 };

let site: CrashSite;
const groups: { join: string; remove(): void }[] = [];

beforeAll(async () => {
  site = await crashSite();
});

afterEach(async () => {
  await site.clear();
  for (const group of groups.splice(0)) group.remove();
});
afterAll(() => site?.close());

function limited(...args: Parameters<typeof controlGroup>): string {
  const group = controlGroup(args[0], `factline-${process.pid}-${args[1]}`, args[2]);
  groups.push(group);
  return group.join;
}

/** States facts in the database alone: the value of one that was stated, for all keys. */
async function state(scene: CrashScene, rounds: number): Promise<void> {
  await scene.ledger.wave(1);
  await site.store.query(
    `with sample as (select value from factline.outbox where topic = $1 order by id limit 1)
     select count(factline.outbox_add($1, 'b' || key, sample.value, null)) from sample, generate_series(1, $2) as round, generate_series(1, $3) as key`,
    [scene.topic, rounds, KEYS],
  );
}

async function expectCounted(scene: CrashScene, consumer: Program): Promise<void> {
  const rows = (await scene.appliedBy(consumer)).filter(({ key }) => key.startsWith('b'));
  expect(rows).toHaveLength(KEYS);
  expect(rows.filter(({ facts, lastSequence }) => facts !== EACH || lastSequence !== EACH)).toEqual([]);
}

const delivered = async () => (await site.store.query<{ pending: number }>("select greatest(pg_sequence_last_value('factline.outbox_id') - page_id, 0)::float8 as pending from factline.relay")).rows[0]!.pending;
const IN_ORDER = { code: 0, signal: null };

needing(withoutControlGroup('memory'))('H5: a full backlog is published and applied by processes with 256 MB each', async () => {
  const scene = await site.scene('little_memory');
  await state(scene, EACH);
  const relay = scene.relay({ page: PAGE_ROWS }, limited('memory', 'relay', { 'memory.limit_in_bytes': MEMORY }));
  await until('the backlog to be published', async () => (await delivered()) === 0, 90_000);
  const consumer = scene.consumer(undefined, 'read-model', limited('memory', 'consumer', { 'memory.limit_in_bytes': MEMORY }));
  await expectCounted(scene, consumer);
  expect([await relay.stop(), await consumer.stop()]).toEqual([IN_ORDER, IN_ORDER]);
});

needing(withoutControlGroup('memory'))('control of H5: with 32 MB the kernel ends the process', async () => {
  const scene = await site.scene('no_memory');
  const relay = scene.relay({}, limited('memory', 'none', { 'memory.limit_in_bytes': MEMORY / 8 }));
  expect(await relay.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

needing(withoutControlGroup('cpu'))('H7: two relays with a tenth of a processor do not take the outbox from each other', async () => {
  const scene = await site.scene('little_time');
  await scene.ledger.wave();
  const first = scene.relay({}, limited('cpu', 'first', TENTH));
  await scene.published(first);
  const epoch = async () => (await site.store.query<{ epoch: string }>('select epoch from factline.relay')).rows[0]!.epoch;
  const before = await epoch();
  const second = scene.relay({}, limited('cpu', 'second', TENTH));
  await scene.ledger.write(() => false);
  const found = await scene.published(first);
  expect(await epoch()).toBe(before);
  expect(found).toHaveLength(scene.ledger.committed.length); // nothing twice: nobody took over
  expect([first.running, second.running]).toEqual([true, true]);
});
