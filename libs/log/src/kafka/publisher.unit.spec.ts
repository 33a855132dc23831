import { FactlineError } from 'factline/kernel';
import { KafkaPublisher } from './publisher.js';
import type { Session } from './session.js';

interface Asked {
  session: number;
  answer(errorCode: number, changes?: { partition?: number; baseOffset?: number; none?: boolean }): void;
  fail(): void;
}

/** Sessions whose brokers answer when the test says so. */
function scripted() {
  const asked: Asked[] = [];
  const closed: number[] = [];
  let opened = 0;
  const open = () => {
    const number = ++opened;
    return {
      look: async () => ({ brokers: [], controller: 1, topics: [{ name: 't', id: 'i', errorCode: 0, partitions: [0, 1].map((partition) => ({ partition, errorCode: 0, leader: 1 })) }] }),
      ask: (_node: number, exchange: { body: Buffer }) =>
        new Promise((resolve, reject) => {
          const partition = exchange.body.readInt32BE(19);
          asked.push({
            session: number,
            answer: (errorCode, changes = {}) => resolve(changes.none ? [] : [{ topic: 't', partition, errorCode, baseOffset: 5, ...changes }]),
            fail: () => reject(new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message: 'cut' })),
          });
        }),
      close: () => void closed.push(number),
    } as unknown as Session;
  };
  return { open, asked, closed };
}

const record = [{ key: Buffer.from('k'), value: Buffer.from('v') }];
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a publisher', () => {
  it.each([
    ['an error code', (asked: Asked) => asked.answer(6)],
    ['no answer for the partition', (asked: Asked) => asked.answer(0, { none: true })],
    ['the answer of another partition', (asked: Asked) => asked.answer(0, { partition: 1 })],
    ['no offset', (asked: Asked) => asked.answer(0, { baseOffset: -1 })],
    ['a lost connection', (asked: Asked) => asked.fail()],
  ])('takes %s for a rejection and sends the next over new connections', async (_what, answer) => {
    const { open, asked, closed } = scripted();
    const publisher = new KafkaPublisher(open, 30_000, () => undefined);
    const first = publisher.send('t', 0, record);
    await settled();
    answer(asked[0]!);
    await expect(first).rejects.toMatchObject({ kind: 'unavailable' });
    const again = publisher.send('t', 0, record);
    await settled();
    expect(closed).toEqual([1]);
    expect(asked[1]!.session).toBe(2);
    asked[1]!.answer(0);
    expect(await again).toEqual({ baseOffset: 5 });
    await publisher.close();
  });

  it('lets sends of other partitions finish on the old connections, and holds new ones until then', async () => {
    const { open, asked, closed } = scripted();
    const publisher = new KafkaPublisher(open, 30_000, () => undefined);
    const [failing, finishing] = [publisher.send('t', 0, record), publisher.send('t', 1, record)];
    await settled();
    asked[0]!.answer(6);
    await expect(failing).rejects.toThrow(/NOT_LEADER/);
    const again = publisher.send('t', 0, record);
    await settled();
    expect([asked.length, closed]).toEqual([2, []]);
    asked[1]!.answer(0);
    await finishing;
    await settled();
    expect([asked.length, closed, asked[2]!.session]).toEqual([3, [1], 2]);
    asked[2]!.answer(0);
    await again;
    await publisher.close();
  });

  it('keeps its connections while all is acknowledged', async () => {
    const { open, asked, closed } = scripted();
    const publisher = new KafkaPublisher(open, 30_000, () => undefined);
    for (let i = 0; i < 3; i++) {
      const sending = publisher.send('t', 0, record);
      await settled();
      asked[i]!.answer(0);
      await sending;
    }
    expect([closed, asked.map(({ session }) => session)]).toEqual([[], [1, 1, 1]]);
    await publisher.close();
  });
});
