import { factIdOf } from 'factline/contracts';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, outboxDoctor } from './index.js';
import { FAILOVER_TAIL_RECORDS } from './limits.js';
import { RecordingLog } from './recording-log.spec.support.js';

/*
 * What an asynchronous standby lacks is taken away here by hand; e2e/faults/e-standby.faults.spec.ts fails over for real.
 */
let database: TestDatabase;
let outbox: FactOutbox;
let recording: RecordingLog;
const relays: Relay[] = [];

beforeAll(async () => {
  database = await testDatabase();
  outbox = new FactOutbox({ store: database.store, schemaIds });
});
beforeEach(async () => {
  recording = new RecordingLog(2);
  await database.reset();
});
afterEach(() => Promise.all(relays.splice(0).map((relay) => relay.stop())));
afterAll(() => database.drop());

/** A relay that publishes what is there and ends. */
async function publish(): Promise<void> {
  const relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [{ ...jobs, partitions: 2 }] });
  relays.push(relay);
  await relay.runOnce();
  await relay.stop();
}

const state = (count: number, key = 'k') => database.store.transaction((tx) => outbox.addMany(tx, Array.from({ length: count }, () => changed(key))));
const oneTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
const numbersOf = (key: string) => recording.byKey(true).get(`spec.job/${key}`);

/** As on a server that was promoted without the last facts of a key. */
async function failOver({ key = 'k', without }: { key?: string; without: number }): Promise<void> {
  await database.store.query('update factline.outbox_key set sequence = sequence - $2 where key = $1', [key, without]);
  await database.store.query('delete from factline.outbox using factline.outbox_key as known where outbox.key = $1 and known.key = $1 and outbox.sequence > known.sequence', [key]);
  await database.store.query('delete from factline.outbox_key where sequence = 0');
  await database.store.query('update factline.relay set timeline = timeline - 1');
}

/** Numbers that stand for two facts. */
function reused(): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { key, sequence, value } of recording.facts()) {
    const name = `${key} ${sequence}`;
    ids.set(name, (ids.get(name) ?? new Set()).add(Buffer.from(factIdOf(value)).toString('hex')));
  }
  return [...ids].filter(([, each]) => each.size > 1).map(([name]) => name);
}

const findings = async () => (await outboxDoctor(database.store)).filter(({ code }) => code === 'outbox.failover-lost-facts');

it('numbers go on behind published facts that the new server lacks, and the doctor names their keys', async () => {
  await state(5);
  await state(2, 'other');
  await publish();
  await failOver({ without: 2 });
  await publish();
  await state(1);
  await state(1, 'other');
  await publish();
  expect([numbersOf('k'), numbersOf('other'), reused()]).toEqual([oneTo(6), oneTo(3), []]);
  expect(await findings()).toMatchObject([
    { severity: 'problem', message: expect.stringContaining("2 facts that are published, of 1 keys; first 'k' in 'spec.job', numbers 4 to 5."), details: { facts: 2, lost: [{ topic: 'spec.job', key: 'k', from: 4, to: 5 }] } },
  ]);
  await publish();
  expect(await findings()).toHaveLength(1); // found once, not by each relay
});

it('facts that were stated before the relay looked get numbers behind the published ones', async () => {
  await state(5);
  await state(2, 'new');
  await publish();
  await failOver({ key: 'new', without: 2 });
  await failOver({ without: 2 });
  await state(3);
  await state(1, 'new');
  await publish();
  await state(1);
  await publish();
  expect([numbersOf('k'), numbersOf('new'), reused()]).toEqual([oneTo(9), oneTo(3), []]);
  expect((await findings())[0]!.details).toMatchObject({ facts: 4, keys: 2 });
});

it('what is only sent again keeps its number, and a failover that lost nothing is nothing to tell', async () => {
  await state(5);
  await publish();
  await failOver({ without: 0 });
  await database.store.query("update factline.relay set previous = '1:1:'"); // the standby had the facts and not the last progress
  await publish();
  expect(recording.facts().map(({ sequence }) => sequence)).toEqual([...oneTo(5), ...oneTo(5)]);
  expect([reused(), await findings()]).toEqual([[], []]);
});

it('looks further back while the older half has lost facts', async () => {
  const lost = FAILOVER_TAIL_RECORDS + 1_000;
  for (let stated = 0; stated < lost + 1_000; stated += 1_000) await state(1_000);
  await publish();
  await failOver({ without: lost });
  await publish();
  expect((await findings())[0]!.details).toMatchObject({ facts: lost, lost: [{ from: 1_001, to: lost + 1_000 }] });
});

it('control: while the timeline is the same nobody looks, and a number stands for two facts', async () => {
  await state(5);
  await publish();
  await failOver({ without: 2 });
  await database.store.query('update factline.relay set timeline = timeline + 1');
  await state(1);
  await publish();
  expect([reused(), await findings()]).toEqual([['k 4'], []]);
});
