import { MockCluster } from './mock-cluster.spec.support.js';
import { type MakeSendingClient, type SendingClient, kafkajsProducer, ourPublisher, unstored } from './sending-clients.spec.support.js';

let cluster: MockCluster;
let client: SendingClient;

beforeEach(async () => {
  cluster = await new MockCluster('t').open();
});
afterEach(async () => {
  await client.close();
  await cluster.close();
});

/** Partition 1 moves from node 2 to node 1 after node 1 has answered for partition 0, and before node 2 has answered: what a client that keeps one answer a broker takes for done. */
async function faultsOf(make: MakeSendingClient): Promise<{ faults: string[]; stored: string[][]; acknowledged: boolean[] }> {
  let nodeOneAnswered!: () => void;
  const afterNodeOne = new Promise<void>((resolve) => (nodeOneAnswered = resolve));
  cluster.onProduce = async ({ node }) => {
    if (node !== 2) return;
    await afterNodeOne;
    cluster.leaders[1] = 1;
  };
  client = make({ brokers: cluster.brokers, pass: (port) => (cluster.nodeAt(port) === 1 && nodeOneAnswered(), true) });
  const verdicts = await client.send('t', 'first', [0, 1]);
  return { faults: await unstored('first', verdicts, async (partition) => cluster.stored[partition]!), stored: cluster.stored, acknowledged: verdicts.map(({ acknowledged }) => acknowledged) };
}

describe('A8 a partition moves during a send', () => {
  it('A8: our publisher acknowledges only the partition that was stored, and the next send finds the new leader', async () => {
    expect(await faultsOf(ourPublisher)).toEqual({ faults: [], stored: [['first'], []], acknowledged: [true, false] });
    const again = await client.send('t', 'first', [1]);
    expect(again).toEqual([{ partition: 1, acknowledged: true, offset: 0 }]);
    expect(cluster.stored).toEqual([['first'], ['first']]);
  });

  it.each([true, false])('A8: control: kafkajs alone (idempotent: %s) resolves, and never sent the record of the partition that moved', async (idempotent) => {
    expect(await faultsOf(kafkajsProducer({ idempotent }))).toEqual({
      faults: ['first was acknowledged in partition 1 without an offset, and is not there'],
      stored: [['first'], []],
      acknowledged: [true, true],
    });
  });
});

it('the cluster of these specs stores what it acknowledges (control)', async () => {
  client = kafkajsProducer({ idempotent: false })({ brokers: cluster.brokers, pass: () => true });
  const verdicts = await client.send('t', 'first', [0, 1]);
  expect(await unstored('first', verdicts, async (partition) => cluster.stored[partition]!)).toEqual([]);
  expect(await unstored('other', verdicts, async (partition) => cluster.stored[partition]!)).toHaveLength(2);
});
