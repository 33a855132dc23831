import type { Plan, Row, Values, View } from './database.spec.support.js';
import { type Statement, exclusive, holds } from './statement.spec.support.js';

const inboxId = (topic: unknown, key: unknown) => `${topic as string}/${key as string}`;

function stored(view: View, id: string): object[] {
  const row = view.get('inbox', id);
  return row ? [{ ...row, sequence: String(row['sequence'] as number) }] : [];
}

export const INBOX_STATEMENTS: readonly Statement[] = [
  [
    /^select key, sequence, fact_id from "mails"\.inbox where topic = \$1 and key = any\(\$2::text\[\]\)$/,
    ({ values: [topic, keys] }) => ({ run: (view) => (keys as string[]).flatMap((key) => stored(view, inboxId(topic, key))) }),
  ],
  [
    /^insert into "mails"\.inbox \(topic, key, sequence, fact_id\) values \(\$1, \$2, \$3, \$4\) on conflict do nothing$/,
    ({ values: [topic, key, sequence, factId] }) => ({ locks: [exclusive(`inbox ${inboxId(topic, key)}`)], run: (view) => begin(view, { topic, key, sequence, fact_id: factId }) }),
  ],
  [
    /^update "mails"\.inbox set sequence = \$4, fact_id = \$5, done_at = clock_timestamp\(\) where (.+)$/,
    ({ match, values }) => ({ locks: [exclusive(`inbox ${inboxId(values[0], values[1])}`)], run: (view) => move(view, match[1]!, values) }),
  ],
  [
    /^with given as \(select \* from unnest\(.+?\) as g \(key, expected, sequence, fact_id\)\), moved as \(update "mails"\.inbox i set sequence = g\.sequence, fact_id = g\.fact_id, done_at = clock_timestamp\(\) from given g where (.+?) returning 1\), begun as \(insert into "mails"\.inbox \(topic, key, sequence, fact_id\) select \$1, key, sequence, fact_id from given where expected = 0 on conflict do nothing returning 1\) select .+ as moved$/,
    ({ match, values }) => moveMany(match[1]!, values),
  ],
  [
    /^insert into "mails"\.inbox as i \(topic, key, sequence, fact_id\) select \$1, \* from unnest\(.+?\) on conflict \(topic, key\) do update set sequence = excluded\.sequence, fact_id = excluded\.fact_id, done_at = clock_timestamp\(\) where (.+)$/,
    ({ match, values }) => pass(match[1]!, values),
  ],
];

function begin(view: View, row: Row): object[] {
  const id = inboxId(row['topic'], row['key']);
  if (view.get('inbox', id)) return [];
  view.set('inbox', id, row);
  return [{}];
}

function move(view: View, condition: string, values: Values): object[] {
  const [topic, key, , sequence, factId] = values;
  const row = view.get('inbox', inboxId(topic, key));
  if (!row || !holds(condition, values)({ '': row })) return [];
  view.set('inbox', inboxId(topic, key), { ...row, sequence, fact_id: factId });
  return [{}];
}

function moveMany(condition: string, values: Values): Plan {
  const [topic, keys, expected, sequences, ids] = values as [string, string[], number[], number[], (Buffer | null)[]];
  const given = keys.map((key, at) => ({ key, expected: expected[at]!, sequence: sequences[at]!, fact_id: ids[at]! }));
  return {
    locks: given.map(({ key }) => exclusive(`inbox ${inboxId(topic, key)}`)),
    run: (view) => {
      let moved = 0;
      for (const g of given) {
        const id = inboxId(topic, g.key);
        const i = view.get('inbox', id);
        if (i && holds(condition, values)({ i, g })) {
          view.set('inbox', id, { ...i, sequence: g.sequence, fact_id: g.fact_id });
          moved++;
        } else if (g.expected === 0) moved += begin(view, { topic, key: g.key, sequence: g.sequence, fact_id: g.fact_id }).length;
      }
      return [{ moved }];
    },
  };
}

function pass(condition: string, values: Values): Plan {
  const [topic, keys, sequences, ids] = values as [string, string[], number[], (Buffer | null)[]];
  return {
    locks: keys.map((key) => exclusive(`inbox ${inboxId(topic, key)}`)),
    run: (view) =>
      keys.flatMap((key, at) => {
        const i = view.get('inbox', inboxId(topic, key));
        const excluded = { topic, key, sequence: sequences[at]!, fact_id: ids[at]! };
        if (i && !holds(condition, values)({ i, excluded })) return [];
        view.set('inbox', inboxId(topic, key), excluded);
        return [{}];
      }),
  };
}
