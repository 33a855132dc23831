import type { Session } from './session.js';
import { describeTopics } from './topics.js';

/** A session with two brokers: metadata answers with this code for the topic, and the leader with one code after the other for its offsets. */
function scripted(metadata: number, leader: number[]) {
  const asked: number[] = [];
  const session = {
    look: async () => ({ brokers: [], controller: 1, topics: [{ name: 't', id: 'i', errorCode: metadata, partitions: [{ partition: 0, errorCode: 0, leader: 2 }] }] }),
    ask: async (node: number) => {
      asked.push(node);
      return [{ topic: 't', partition: 0, errorCode: leader.shift() ?? 0, offset: 7 }];
    },
  } as unknown as Session;
  return { session, asked };
}

const UNKNOWN = 3;

it('a leader that does not know its new topic yet is asked again: metadata decides whether the topic is there', async () => {
  const { session, asked } = scripted(0, [UNKNOWN, UNKNOWN]);
  expect(await describeTopics(session, ['t'])).toEqual([{ name: 't', id: 'i', partitions: [{ start: 7, end: 7 }] }]);
  expect(asked).toEqual([2, 2, 2, 2]);
});

it('control: a topic that metadata does not know is refused at once', async () => {
  const { session, asked } = scripted(UNKNOWN, []);
  await expect(describeTopics(session, ['t'])).rejects.toMatchObject({ code: 'log.topic-unknown' });
  expect(asked).toEqual([]);
});
