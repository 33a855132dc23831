import { randomUUID } from 'node:crypto';
import { until } from 'factline/testing';
import { type FactLog, kafkaLog } from '../index.js';
import { Recorder, numbered } from '../recorder.spec.support.js';
import { SecuredBroker } from './secured-broker.spec.support.js';

const STACK_STARTS_WITHIN = 180_000;

let broker: SecuredBroker;
let topic: string;
let open: FactLog;
const clients: FactLog[] = [];

beforeAll(async () => {
  broker = await SecuredBroker.start();
  open = kafkaLog({ brokers: broker.open, clientId: 'open' });
  for (const what of ['read', 'write', 'join'] as const) await broker.allow(what);
}, STACK_STARTS_WITHIN);
beforeEach(async () => {
  await broker.setPassword('first');
  topic = `access-${randomUUID()}`;
  await open.createTopics([{ name: topic, partitions: 1 }]);
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});
afterAll(async () => {
  await open?.close();
  await broker?.stop();
});

const client = (password: string): FactLog => {
  const made = kafkaLog({ brokers: [broker.address], clientId: 'access', sasl: broker.sasl(password) });
  clients.push(made);
  return made;
};
const send = async (log: FactLog, from: number, to: number) => {
  const publisher = await log.publisher();
  try {
    await publisher.send(topic, 0, numbered(from, to));
  } finally {
    await publisher.close();
  }
};
const unauthorized = { code: 'log.unauthorized', kind: 'unavailable', retry: true };
const refusals = ({ failures }: Recorder) => failures.filter((failure) => (failure as { code?: string }).code === unauthorized.code).length;
const subscribed = async (log: FactLog): Promise<Recorder> => {
  const recorder = new Recorder();
  await log.subscribe({ group: topic, topics: [topic], events: recorder });
  return recorder;
};

it('control: with the right password and every right, all is sent and read', async () => {
  const log = client('first');
  await send(log, 0, 3);
  const recorder = await subscribed(log);
  await until('read', () => recorder.offsets(0).length === 3);
  expect(refusals(recorder)).toBe(0);
});

it('B13: a password that was changed is told as log.unauthorized, again and again, and all goes on when it is right again', async () => {
  await send(open, 0, 3);
  await broker.setPassword('second');
  const log = client('first');
  const recorder = await subscribed(log);
  await until('it is told more than once', () => refusals(recorder) > 3);
  await expect(send(log, 3, 4)).rejects.toMatchObject(unauthorized);
  expect(recorder.offsets(0)).toEqual([]);
  await broker.setPassword('first');
  await until('it reads', () => recorder.offsets(0).length === 3);
  await send(log, 3, 4);
});

it.each(['read', 'join'] as const)('B13: the right to %s is taken away from a member: it is told as log.unauthorized, nothing is lost, and it goes on when it is given back', async (what) => {
  const log = client('first');
  const recorder = await subscribed(log);
  await send(log, 0, 2);
  await until('it reads', () => recorder.offsets(0).length === 2);
  await broker.forbid(what);
  await until('it is told', () => refusals(recorder) > 1);
  await send(log, 2, 4);
  await broker.allow(what);
  await until('it reads on', () => recorder.offsets(0).length === 4);
  expect({ offsets: recorder.offsets(0), stale: recorder.stale }).toEqual({ offsets: [0, 1, 2, 3], stale: [] });
});

it('B13: without the right to write a send is rejected, to be sent again: facts wait, and are not given up', async () => {
  const log = client('first');
  await broker.forbid('write');
  const refused = async () => {
    const failure = await send(log, 0, 1).catch((error: unknown) => error);
    return (failure as { code?: string } | undefined)?.code === unauthorized.code ? failure : undefined;
  };
  let failure: unknown;
  await until('it is refused', async () => (failure = await refused()) !== undefined);
  expect(failure).toMatchObject(unauthorized);
  await broker.allow('write');
  await until('it is taken again', async () => (await refused()) === undefined);
});
