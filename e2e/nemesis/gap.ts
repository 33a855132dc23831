import type { FactLog, LogRecord } from 'factline/log';
import { until } from 'factline/testing';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import type { Fleet } from './fleet.js';
import type { Ground } from './ground.js';
import type { HistoryFile } from './history.js';

/** Faults that meet it on the way delay it: a broker that starts again takes 6 s, a session of the group ends after 10 s. */
const STEP_WITHIN = 90_000;
const RECORDS = 20;
const MODEL = 'scratch';

/** Bytes that no producer of this product would write. */
export const POISON = Buffer.from('{"not": "a fact, but long enough for one"}');

/**
 * The first facts of a partition on a topic of their own, a scratch read model of it, and the topic deleted and made again while the model is away: the state must be GAP.
 * The model's offsets fit the new topic; only its identity tells that it is another one.
 */
export async function seeGap({ estate, tally }: Ground, fleet: Fleet, log: FactLog, history: HistoryFile): Promise<string> {
  const topic = estate.world.topic('scratch');
  const copied = await persistently('facts to copy', () => copy(log, topic));
  // Directly to its database: what is tried here is the log.
  const run = () => fleet.count({ databaseUrl: tally.url, topic, group: topic, name: MODEL });
  const first = run();
  try {
    await until('the scratch model to apply its facts', () => first.lines.some((line) => Number(line['facts']) >= copied), STEP_WITHIN);
  } finally {
    await first.stop('SIGKILL');
  }
  await persistently('the topic to be deleted', () => log.deleteTopics([topic]).then(() => true));
  await persistently('facts to copy again', () => copy(log, topic));
  const second = run();
  try {
    const line = await until('a scratch model that stands', () => second.lines.findLast(({ state }) => state === 'GAP' || state === 'HALTED'), STEP_WITHIN);
    history.write({ type: 'gap', at: Date.now(), code: String(line['code']) });
    return `${String(line['state'])}: ${String(line['code'])}`;
  } finally {
    await second.stop('SIGKILL');
    await tally.store.query(`drop schema if exists ${MODEL} cascade`);
  }
}

/** Copies the begin of the longest partition; each key's facts begin with its first. */
async function copy(log: FactLog, topic: string): Promise<number> {
  await log.createTopics([{ name: topic, partitions: 1 }]);
  const [source] = await log.describe([EMPLOYEE_TOPIC]);
  const ends = source!.partitions.map(({ end }) => end);
  const partition = ends.indexOf(Math.max(...ends));
  const records: LogRecord[] = [];
  await log.read({
    topic: EMPLOYEE_TOPIC,
    ranges: [{ partition, from: 0, to: Math.min(RECORDS, ends[partition]!) }],
    batch: (batch) => void records.push(...batch.records.map((record) => ({ ...record, key: Buffer.from(record.key), value: record.value && Buffer.from(record.value) }))),
  });
  const facts = records.flatMap(({ key, value }) => (value && !value.equals(POISON) ? [{ key, value }] : []));
  const publisher = await log.publisher();
  try {
    await publisher.send(topic, 0, facts);
  } finally {
    await publisher.close();
  }
  return facts.length;
}

/** A step that a fault may undo is done again. */
async function persistently<T>(what: string, step: () => Promise<T>): Promise<NonNullable<T>> {
  return until(what, () => step().catch(() => undefined), STEP_WITHIN);
}
