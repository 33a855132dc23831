import { randomUUID } from 'node:crypto';
import { type FactLog, kafkaLog } from '../../index.js';
import { testBrokers } from '../test-brokers.spec.support.js';
import { type MakeSendingClient, type SendingClient, kafkajsProducer, ourPublisher, unstored } from './sending-clients.spec.support.js';

const brokers = testBrokers(process.env);
let log: FactLog;
let topic: string;
let client: SendingClient;

beforeAll(() => {
  log = kafkaLog({ brokers, clientId: 'conformance' });
});
beforeEach(async () => {
  topic = `conformance-${randomUUID()}`;
  await log.createTopics([{ name: topic, partitions: 1 }]);
});
afterEach(async () => {
  await client.close();
  await log.deleteTopics([topic]);
});
afterAll(() => log.close());

async function stored(partition = 0): Promise<string[]> {
  const [state] = await log.describe([topic]);
  const keys: string[] = [];
  await log.read({ topic, ranges: [{ partition, from: 0, to: state!.partitions[partition]!.end }], batch: ({ records }) => void keys.push(...records.map(({ key }) => key.toString())) });
  return keys;
}

/** The first record is stored and every answer to it is lost; the next one goes over a healthy connection. */
async function faultsOf(make: MakeSendingClient): Promise<{ faults: string[]; keys: string[] }> {
  let lost = 0;
  let losing = true;
  client = make({ brokers, pass: () => !(losing && ++lost) });
  const [first] = await client.send(topic, 'first', [0]);
  expect({ lost: lost > 0, acknowledged: first!.acknowledged }).toEqual({ lost: true, acknowledged: false });
  expect(await stored()).toContain('first'); // so the outcome was unknown, not "failed"
  losing = false;
  const second = await client.send(topic, 'second', [0]);
  expect(second[0]!.acknowledged).toBe(true);
  return { faults: await unstored('second', second, stored), keys: await stored() };
}

describe('A7 produce reply lost', () => {
  it('A7: our publisher acknowledges the next record only when it is stored, and says nothing of the first', async () => {
    expect(await faultsOf(ourPublisher)).toEqual({ faults: [], keys: ['first', 'second'] });
  });

  it('A7: control: kafkajs alone, idempotent, acknowledges the next record with the offset of the first, and it is nowhere', async () => {
    const { faults, keys } = await faultsOf(kafkajsProducer({ idempotent: true }));
    expect(faults).toEqual(['second was acknowledged at offset 0 of partition 0, where first is']);
    expect(keys).toEqual(['first']);
  });

  it('A7: kafkajs alone without idempotence loses nothing here, and stores the first record once for each try', async () => {
    expect(await faultsOf(kafkajsProducer({ idempotent: false }))).toEqual({ faults: [], keys: ['first', 'first', 'second'] });
  });
});
