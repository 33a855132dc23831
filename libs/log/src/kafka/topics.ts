import { FactlineError, grouped, pause } from 'factline/kernel';
import { topicUnknown } from '../failures.js';
import { TOPIC_CHANGE_LOOK_MS, TOPIC_CHANGE_WAIT_MS } from '../limits.js';
import type { TopicSpec, TopicState } from '../log.js';
import { Code, refusedByBroker, wrapped } from './errors.js';
import type { TopicView } from './metadata.js';
import { EARLIEST, LATEST, NO_OFFSET, offsetsRequest } from './offsets.js';
import { type Session, leadersOf, persistently } from './session.js';

const NO_LEADER = -1;

export async function createTopics(session: Session, specs: readonly TopicSpec[]): Promise<void> {
  for (const spec of specs) await persistently(() => createTopic(session, spec));
  await until(session, specs.map(({ name }) => name), 'has no leader for every partition', (topic) => {
    return topic.errorCode === Code.none && topic.partitions.length > 0 && topic.partitions.every(({ leader }) => leader !== NO_LEADER);
  });
  if (specs.length > 0) await describeTopics(session, specs.map(({ name }) => name)); // a leader is named some milliseconds before it serves
}

export async function deleteTopics(session: Session, names: readonly string[]): Promise<void> {
  for (const name of names) await persistently(() => deleteTopic(session, name));
  await until(session, names, 'is still there', (topic) => topic.errorCode === Code.unknownTopicOrPartition);
}

export async function describeTopics(session: Session, names: readonly string[], abort?: AbortSignal): Promise<TopicState[]> {
  return persistently(async () => {
    const view = await session.look(names);
    const missing = view.topics.filter(({ errorCode }) => errorCode === Code.unknownTopicOrPartition).map(({ name }) => name);
    if (missing.length > 0) throw topicUnknown(missing);
    const topics = names.map((name) => ({ name, ...leadersOf(view, name) }));
    const wanted = topics.flatMap(({ name, leaders }) => leaders.map((leader, partition) => ({ topic: name, partition, leader })));
    const [starts, ends] = await Promise.all([offsetsOf(session, wanted, EARLIEST), offsetsOf(session, wanted, LATEST)]);
    return topics.map(({ name, id, leaders }) => ({
      name,
      id,
      partitions: leaders.map((_leader, partition) => ({ start: starts.get(`${name}/${partition}`)!, end: ends.get(`${name}/${partition}`)! })),
    }));
  }, abort);
}

export async function offsetsAt(session: Session, topic: string, timeMs: number): Promise<number[]> {
  const [{ partitions }] = (await describeTopics(session, [topic])) as [TopicState]; // before the question: what is appended between them is younger
  return persistently(async () => {
    const { leaders } = leadersOf(await session.look([topic]), topic);
    const found = await offsetsOf(session, leaders.map((leader, partition) => ({ topic, partition, leader })), Math.max(0, Math.floor(timeMs)));
    return partitions.map(({ end }, partition) => {
      const offset = found.get(`${topic}/${partition}`) ?? NO_OFFSET;
      return offset === NO_OFFSET ? end : offset;
    });
  });
}

/** Offsets by `topic/partition`. */
export async function offsetsOf(
  session: Session,
  wanted: readonly { topic: string; partition: number; leader: number }[],
  which: number,
): Promise<Map<string, number>> {
  const byLeader = grouped(wanted, ({ leader }) => leader);
  const answers = await Promise.all([...byLeader].map(([leader, partitions]) => session.ask(leader, offsetsRequest(partitions, which))));
  const offsets = new Map<string, number>();
  for (const { topic, partition, errorCode, offset } of answers.flat()) {
    if (errorCode === Code.unknownTopicOrPartition) throw notLedYet(topic, partition);
    if (errorCode !== Code.none) throw refusedByBroker(errorCode, `Listing the offsets of '${topic}' partition ${partition}`, topic);
    offsets.set(`${topic}/${partition}`, offset);
  }
  return offsets;
}

/** Metadata named this broker as the leader, and it does not know that it is: with three brokers seen for a moment after the topic was created. */
function notLedYet(topic: string, partition: number): FactlineError {
  return new FactlineError({
    code: 'log.unavailable',
    kind: 'unavailable',
    message: `The leader of '${topic}' partition ${partition} does not know it yet.`,
    advice: 'Ask again: metadata says whether the topic is there.',
    details: { topic, partition },
  });
}

async function createTopic(session: Session, spec: TopicSpec): Promise<void> {
  const { controller } = await session.look([]);
  const broker = await session.broker(controller);
  try {
    await broker.createTopics({
      topics: [
        {
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor: spec.replicas ?? -1,
          configEntries: Object.entries(spec.settings ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
      timeout: TOPIC_CHANGE_WAIT_MS,
    });
  } catch (error) {
    const cause = (error as { errors?: unknown[] }).errors?.[0] ?? error;
    if ((cause as { code?: number }).code !== Code.topicAlreadyExists) throw unusable(cause, spec.name);
  }
}

async function deleteTopic(session: Session, name: string): Promise<void> {
  const { controller } = await session.look([]);
  const broker = await session.broker(controller);
  try {
    await broker.deleteTopics({ topics: [name], timeout: TOPIC_CHANGE_WAIT_MS });
  } catch (error) {
    if ((error as { code?: number }).code !== Code.unknownTopicOrPartition) throw wrapped(error, `Deleting the topic '${name}'`);
  }
}

const REFUSED_FOR_GOOD = new Set(['INVALID_TOPIC_EXCEPTION', 'INVALID_PARTITIONS', 'INVALID_REPLICATION_FACTOR', 'INVALID_REPLICA_ASSIGNMENT', 'INVALID_CONFIG', 'POLICY_VIOLATION']);

function unusable(thrown: unknown, name: string): FactlineError {
  const type = (thrown as { type?: string }).type ?? '';
  if (!REFUSED_FOR_GOOD.has(type)) return wrapped(thrown, `Creating the topic '${name}'`);
  return new FactlineError({
    code: 'log.topic-invalid',
    kind: 'configuration',
    message: `The broker refuses to create the topic '${name}': ${type}.`,
    advice: 'Check name, partitions, replicas (no more than brokers) and settings in topic.yaml.',
    cause: thrown,
  });
}

async function until(session: Session, names: readonly string[], otherwise: string, done: (topic: TopicView) => boolean): Promise<void> {
  const deadline = performance.now() + TOPIC_CHANGE_WAIT_MS;
  let waiting = [...new Set(names)];
  while (waiting.length > 0) {
    const view = await persistently(() => session.look(waiting));
    waiting = view.topics.filter((topic) => !done(topic)).map(({ name }) => name);
    if (waiting.length === 0) return;
    if (performance.now() > deadline) {
      throw new FactlineError({
        code: 'log.unavailable',
        kind: 'unavailable',
        message: `The topic '${waiting[0]}' ${otherwise} after ${TOPIC_CHANGE_WAIT_MS} ms.`,
        advice: 'Look at the controller and at the brokers that should lead it.',
      });
    }
    await pause(TOPIC_CHANGE_LOOK_MS);
  }
}
