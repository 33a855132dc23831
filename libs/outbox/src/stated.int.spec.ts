import { FactDecoder } from 'factline/contracts';
import { formatId, newId } from 'factline/kernel';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, statedFact, statedFactsWith } from './index.js';
import { RecordingLog } from './recording-log.spec.support.js';

let database: TestDatabase;
let relay: Relay;
let outbox: FactOutbox;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.reset();
  relay = new Relay({ store: database.store, log: new RecordingLog().log, app: 'spec', topics: [jobs] });
  outbox = new FactOutbox({ store: database.store, schemaIds });
});
afterEach(() => relay.stop());
afterAll(() => database.drop());

const state = (key: string, correlationId: string, note = 'n') => database.store.transaction((tx) => outbox.add(tx, { ...changed(key, note), context: { correlationId } }));

it('finds a fact by its id, with what became of it in the outbox', async () => {
  await state('other', 'c-0');
  const { id } = await state('a', 'c-1');
  expect(await statedFact(database.store, id)).toMatchObject({ topic: 'spec.job', key: 'a', sequence: 1, delivered: false, traced: false, statedAt: expect.any(Date) });
  await relay.runOnce();
  const found = await statedFact(database.store, id);
  expect(found).toMatchObject({ key: 'a', delivered: true });
  expect(FactDecoder.head(found!.value)).toMatchObject({ id, correlationId: 'c-1', sequence: 0 });
  expect(await statedFact(database.store, formatId(newId()))).toBeUndefined();
});

it('a fact of a transaction that is open, or was rolled back, was not stated', async () => {
  let id = '';
  await expect(
    database.store.transaction(async (tx) => {
      ({ id } = await outbox.add(tx, changed('a')));
      expect(await statedFact(database.store, id)).toBeUndefined();
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await statedFact(database.store, id)).toBeUndefined();
});

it('finds facts that carry a text since a time, in the order in which they were stated; who asks compares where it stands', async () => {
  await state('a', 'order-7');
  await state('b', 'order-70');
  await state('c', 'x', 'as asked in order-7');
  await state('d', 'order-8');
  const since = new Date(Date.now() - 60_000);
  expect((await statedFactsWith(database.store, 'order-7', since)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  expect((await statedFactsWith(database.store, 'order-7', since)).filter(({ value }) => FactDecoder.head(value).correlationId === 'order-7').map(({ key }) => key)).toEqual(['a']);
  expect(await statedFactsWith(database.store, 'order-7', new Date(Date.now() + 60_000))).toEqual([]);
});
