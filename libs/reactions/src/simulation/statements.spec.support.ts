import { SimulatedCheckpoints } from 'factline/testing/simulation';
import type { Plan, Planner, Values, View } from './database.spec.support.js';
import { INBOX_STATEMENTS } from './inbox-statements.spec.support.js';
import { LETTER_STATEMENTS } from './letter-statements.spec.support.js';
import { REDRIVE_STATEMENTS } from './redrive-statements.spec.support.js';
import { type Statement, exclusive, holds, nextSerial, shared } from './statement.spec.support.js';

const checkpointId = (topic: unknown, partition: unknown) => `${topic as string}/${partition as number}`;

const CHECKPOINTS: readonly Statement[] = [
  [
    /^select from "mails"\.checkpoint where (.+) for share$/,
    ({ match, values }) => {
      const id = checkpointId(values[0], values[1]);
      const owned = holds(match[1]!, values);
      return { locks: [shared(`checkpoint ${id}`)], run: (view) => (owned({ '': view.get('checkpoint', id) }) ? [{}] : []) };
    },
  ],
  [/^insert into "mails"\.checkpoint \(topic, partition, topic_id, next_offset, generation\) select topic, partition, topic_id, case when topic in .+ on conflict do nothing$/, ({ values }) => ({ run: (view) => addCheckpoints(view, values) })],
];

/** From the beginning: each at 0. */
function addCheckpoints(view: View, values: Values): object[] {
  const [topics, partitions, ids] = values as [string[], number[], string[]];
  for (const [at, topic] of topics.entries()) {
    const id = checkpointId(topic, partitions[at]);
    if (!view.get('checkpoint', id)) view.set('checkpoint', id, { topic, partition: partitions[at]!, topic_id: ids[at]!, next_offset: '0', last_offset: null, last_fact_id: null, generation: 1, epoch: '0' });
  }
  return [];
}

/** The statements of factline/consumer about checkpoints. */
function ofConsumer(text: string, values: Values): Plan | undefined {
  if (!text.includes('"mails".checkpoint')) return undefined;
  const [topic, partition] = values;
  const claimed = Array.isArray(topic) ? topic.map((each, at) => exclusive(`checkpoint ${checkpointId(each, (partition as number[])[at])}`)) : [exclusive(`checkpoint ${checkpointId(topic, partition)}`)];
  return {
    locks: text.trimStart().startsWith('update') ? claimed : [],
    run: (view) => {
      const table = new SimulatedCheckpoints();
      for (const [id, row] of view.rows('checkpoint')) table.rows.set(id, { ...row } as never);
      const rows = table.answer(text, values);
      if (!rows) throw new Error(`This statement is not simulated: ${text}`);
      for (const [id, row] of table.rows) if (JSON.stringify(row) !== JSON.stringify(view.get('checkpoint', id))) view.set('checkpoint', id, { ...row });
      return rows;
    },
  };
}

const REST: readonly Statement[] = [
  [
    /^insert into journal \(key, sequence, what, redriven\) values \(\$1, \$2, \$3, \$4\)$/,
    ({ values: [key, sequence, what, redriven] }) => ({ run: (view) => (view.set('journal', nextSerial(), { key, sequence, what, redriven }), [{}]) }),
  ],
  [/^select pg_advisory_xact_lock\(hashtextextended\(\$1, 0\)\)$/, ({ values: [name] }) => ({ locks: [exclusive(`advisory ${name as string}`)], run: () => [{}] })],
  [/ from factline\.pause where subscription = \$1 and resumed_at is null$/, () => ({ run: () => [] })], // nobody pauses it
  // Tables that are there, what the app selects, and times beside checkpoints, which decide nothing.
  [/^create schema if not exists "mails";/, () => ({ run: () => [] })],
  [/^insert into factline\.reactions /, () => ({ run: () => [] })],
  [/^with given as \(select \* from unnest\(.+"mails"\.progress_mark /, () => ({ run: () => [] })],
];

const ALL: readonly Statement[] = [...INBOX_STATEMENTS, ...CHECKPOINTS, ...LETTER_STATEMENTS, ...REDRIVE_STATEMENTS, ...REST];

/** Answers the statements of reactions, recognised by their whole text, as PostgreSQL would; conditions are evaluated as they are written. @throws Error for any other statement: nothing is answered by a guess. */
export const planReactions: Planner = (text, values, view, free) => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  for (const [pattern, plan] of ALL) {
    const match = pattern.exec(line);
    if (match) return plan({ match, values, view, free });
  }
  const plan = ofConsumer(text, values);
  if (!plan) throw new Error(`This statement is not simulated: ${line}`);
  return plan;
};
