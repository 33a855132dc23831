import { FactlineError } from 'factline/kernel';
import type { FactLog, OutgoingRecord, Publisher } from 'factline/log';

type Answer = { baseOffset: number };

/** The log with another publisher. */
function withPublisher(log: FactLog, wrap: (publisher: Publisher) => Publisher): FactLog {
  return {
    createTopics: (specs) => log.createTopics(specs),
    deleteTopics: (names) => log.deleteTopics(names),
    describe: (topics) => log.describe(topics),
    offsetsAt: (topic, timeMs) => log.offsetsAt(topic, timeMs),
    publisher: async () => wrap(await log.publisher()),
    subscribe: (options) => log.subscribe(options),
    read: (options) => log.read(options),
    follow: (options) => log.follow(options),
    close: () => log.close(),
  };
}

/** What a broker does when a partition's leader moves in the middle of a send: this partition is refused once, and nothing of it is stored. */
export function leaderMoves(log: FactLog, topic: string, partition: number): FactLog {
  let moved = false;
  return withPublisher(log, (publisher) => ({
    send: (to, at, records) => {
      if (moved || to !== topic || at !== partition) return publisher.send(to, at, records);
      moved = true;
      return Promise.reject(new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message: 'The leader has moved.', advice: 'Send again.' }));
    },
    close: () => publisher.close(),
  }));
}

/**
 * BROKEN on purpose: sends to several partitions travel as one, and one answer is taken for all. It is what kafkajs 2.2.4 does in its own `send` when a partition
 * moves between its retries (tulios/kafkajs#1303), which is why the product sends one partition at a time and looks for it in the reply.
 */
export function oneSendForAll(log: FactLog): FactLog {
  return withPublisher(log, (publisher) => {
    let together: { topic: string; partition: number; records: readonly OutgoingRecord[] }[] = [];
    let sending: Promise<Answer> | undefined;
    const send = async (): Promise<Answer> => {
      await Promise.resolve(); // everything that is sent in this turn
      const parts = together;
      [together, sending] = [[], undefined];
      const answers = await Promise.allSettled(parts.map(({ topic, partition, records }) => publisher.send(topic, partition, records)));
      const answered = answers.find((answer) => answer.status === 'fulfilled');
      if (answered) return answered.value;
      const refused: unknown = (answers[0] as PromiseRejectedResult).reason;
      throw refused;
    };
    return {
      send: (topic, partition, records) => {
        together.push({ topic, partition, records });
        return (sending ??= send());
      },
      close: () => publisher.close(),
    };
  });
}
