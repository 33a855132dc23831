import { type FactContext, FactEncoder, defineFact, withSequence } from 'factline/contracts';
import { type FactLog, memoryBroker, memoryLog } from 'factline/log';
import { factSchemaInSpec } from 'factline/testing';
import { NEAR_MS, RECORDS_SEARCHED } from './limits.js';
import { LogSearch } from './search.js';

const topic = { name: 'jobs', owner: 'spec', keyField: 'jobId', partitions: 2, kind: 'facts' as const, settings: {} };
const JobDone = defineFact<{ jobId: string; note: string }, 'jobId'>({
  factName: 'spec.JobDone',
  topic,
  keyField: 'jobId',
  schema: factSchemaInSpec('spec.JobDone', [{ name: 'jobId', type: 'string' }, { name: 'note', type: 'string' }]),
});
const encoder = new FactEncoder();

let nowMs: number;
let log: FactLog;
beforeEach(async () => {
  nowMs = 1_000_000;
  log = memoryLog({ broker: memoryBroker({ clock: { now: () => nowMs, monotonic: () => nowMs } }) });
  await log.createTopics([{ name: 'jobs', partitions: 2 }]);
});
afterEach(() => log.close());

async function send(partition: number, context: FactContext, { note = '', times = 1 } = {}): Promise<string> {
  const { id, value } = encoder.encode(JobDone('k', { note }, context), 7);
  const publisher = await log.publisher();
  for (let sent = 0; sent < times; sent++) await publisher.send('jobs', partition, [{ key: Buffer.from('k'), value: withSequence(value, 1) }]);
  await publisher.close();
  nowMs += 1_000;
  return id;
}

async function search(over: Partial<FactLog> = {}): Promise<LogSearch> {
  const made = new LogSearch(Object.assign(Object.create(log) as FactLog, { describe: log.describe.bind(log), offsetsAt: log.offsetsAt.bind(log), read: log.read.bind(log) }, over));
  await made.open(['jobs', 'never-made']);
  return made;
}

const everywhere = [{ topic: 'jobs' }, { topic: 'never-made' }];

it('finds a fact by its id where it lies first, from a time on, and nothing that only mentions it', async () => {
  const id = await send(1, { correlationId: 'c' }, { times: 2 });
  await send(0, { correlationId: 'c', causationId: id }, { note: id });
  const looking = await search();
  expect(await looking.find(id, 0, everywhere)).toMatchObject({ topic: 'jobs', partition: 1, offset: 0, key: 'k', at: new Date(1_000_000), head: { id, correlationId: 'c' } });
  expect(await looking.find(id, nowMs, everywhere)).toBeUndefined();
  expect(looking.complete).toBe(true);
});

it('finds what was published long after it was stated, and looks near by first', async () => {
  const soon = await send(0, { correlationId: 'c' });
  nowMs += 2 * NEAR_MS;
  const late = await send(0, { correlationId: 'c' });
  const looking = await search();
  expect(await looking.find(soon, 1_000_000, everywhere)).toMatchObject({ offset: 0 });
  expect(looking.records).toBe(1);
  expect(await looking.find(late, 1_000_000, everywhere)).toMatchObject({ offset: 1 });
});

it('finds the facts of a correlation id and those that a fact caused, each once, by the times of the broker', async () => {
  const first = await send(1, { correlationId: 'order-7' });
  const second = await send(0, { correlationId: 'order-7', causationId: first }, { times: 3 });
  const elsewhere = await send(0, { correlationId: 'another', causationId: first });
  await send(0, { correlationId: 'order-70' }, { note: `order-7 ${first}` });
  expect((await (await search()).related('order-7', undefined, 0)).map(({ head }) => head.id)).toEqual([first, second]);
  expect((await (await search()).related('order-7', first, 0)).map(({ head }) => head.id)).toEqual([first, second, elsewhere]);
});

it('passes over records that are no facts', async () => {
  const publisher = await log.publisher();
  await publisher.send('jobs', 0, [{ key: Buffer.from('k'), value: Buffer.from('something about order-7, by hand') }]);
  await publisher.close();
  const id = await send(0, { correlationId: 'order-7' });
  expect((await (await search()).related('order-7', undefined, 0)).map(({ head }) => head.id)).toEqual([id]);
});

it('looks at no more than so many records, and says that there are others', async () => {
  const asked: number[] = [];
  const endless = await search({
    describe: async ([name]) => [{ name: name!, id: '1', partitions: [{ start: 0, end: 10 * RECORDS_SEARCHED }, { start: 0, end: 3 }] }],
    offsetsAt: async () => [0, 0],
    read: async ({ ranges }) => void asked.push(...ranges.map(({ from, to }) => to - from)),
  });
  await endless.find('00000000-0000-7000-8000-000000000000', 0, [{ topic: 'jobs' }]);
  expect(asked).toEqual([RECORDS_SEARCHED / 2, 3]);
  expect(endless.complete).toBe(false);
});
