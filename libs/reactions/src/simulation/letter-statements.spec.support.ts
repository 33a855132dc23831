import type { Plan, Row, Values, View } from './database.spec.support.js';
import { type Asked, type Statement, exclusive, holds, nextSerial, shared } from './statement.spec.support.js';

const COLUMNS = 'topic, partition, record_offset, key, fact_id, code, reason, parked_at, seen, sequence, schema_id';
const OF_KEY = `select ${COLUMNS} from "mails"\\.dead_letter where topic = \\$1 and partition = \\$2 and key = \\$3 order by record_offset`;

function lettersOf(view: View, condition: string, values: Values): [string, Row][] {
  const meant = condition === 'true' ? () => true : holds(condition, values);
  return view.rows('letter').filter(([, d]) => meant({ d, '': d }));
}

const byOffset = (one: Row, other: Row) => Number(one['record_offset']) - Number(other['record_offset']);
const OF_PARTITION = 'topic = $1 and partition = $2';
const ofKey = (view: View, values: Values) => lettersOf(view, `${OF_PARTITION} and key = $3`, values);

/** Rows that were there when the statement began: one that was written while it waited is not seen. */
function held({ view, values }: Asked, keys: readonly string[], mode: typeof shared): { locks: ReturnType<typeof shared>[]; still: (view: View) => Row[] } {
  const ids = lettersOf(view, OF_PARTITION, values).flatMap(([id, { key }]) => (keys.includes(key as string) ? [id] : []));
  return { locks: ids.map((id) => mode(`letter ${id}`)), still: (now) => ids.map((id) => now.get('letter', id)).filter((row) => row !== undefined) };
}

export const LETTER_STATEMENTS: readonly Statement[] = [
  [/^select distinct key from "mails"\.dead_letter where topic = \$1 and partition = \$2$/, ({ values }) => ({ run: (view) => distinct(lettersOf(view, OF_PARTITION, values), ({ key }) => ({ key })) })],
  [/^select count\(distinct \(topic, key\)\)::integer as keys from "mails"\.dead_letter$/, () => ({ run: (view) => [{ keys: distinct(view.rows('letter'), ({ topic, key }) => ({ topic, key })).length }] })],
  [
    /^select key from "mails"\.dead_letter where topic = \$1 and partition = \$2 and key = any\(\$3::text\[\]\)( for share)?$/,
    (asked) => {
      const { locks, still } = held(asked, asked.values[2] as string[], shared);
      return { locks: asked.match[1] ? locks : [], run: (view) => still(view).map(({ key }) => ({ key })) };
    },
  ],
  [/^insert into "mails"\.dead_letter \(topic, partition, as_of, record_offset, key, fact_id, code, reason, seen, sequence, schema_id\) select \$1, \$2, .+ where not exists \(select from "mails"\.dead_letter d where d\.topic = \$1 and d\.partition = \$2 and d\.key = p\.key and d\.record_offset = p\.record_offset\)$/, park],
  [
    new RegExp(`^select ${COLUMNS} from "mails"\\.dead_letter d where (.+) order by topic, partition, key, record_offset limit \\d+$`),
    ({ match, values }) => ({ run: (view) => lettersOf(view, match[1]!, values).map(([, row]) => row).toSorted(byOffset) }),
  ],
  [
    /^select count\(distinct \(topic, key\)\)::integer as keys, count\(\*\)::integer as facts from "mails"\.dead_letter d where (.+)$/,
    ({ match, values }) => ({
      run: (view) => {
        const meant = lettersOf(view, match[1]!, values);
        return [{ keys: distinct(meant, ({ topic, key }) => ({ topic, key })).length, facts: meant.length }];
      },
    }),
  ],
  [
    /^select topic, partition, key from "mails"\.dead_letter d where (.+) group by 1, 2, 3 order by min\(parked_at\), 3$/,
    ({ match, values }) => ({ run: (view) => distinct(lettersOf(view, match[1]!, values), ({ topic, partition, key }) => ({ topic, partition, key })) }),
  ],
  [
    new RegExp(`^${OF_KEY} for update$`),
    (asked) => {
      const { locks, still } = held(asked, [asked.values[2] as string], exclusive);
      return { locks, run: (view) => still(view).toSorted(byOffset) };
    },
  ],
  [new RegExp(`^${OF_KEY}$`), ({ values }) => ({ run: (view) => ofKey(view, values).map(([, row]) => row).toSorted(byOffset) })],
  [/^update "mails"\.dead_letter set code = \$4, reason = \$5 where (topic = \$1 and partition = \$2 and record_offset = \$3)$/, failed],
  [/^delete from "mails"\.dead_letter where topic = \$1 and partition = \$2 and key = \$3 and record_offset = any\(\$4::bigint\[\]\)$/, remove],
];

function distinct(letters: readonly [string, Row][], of: (row: Row) => object): object[] {
  return [...new Map(letters.map(([, row]) => [JSON.stringify(of(row)), of(row)])).values()];
}

/** What is there already is looked for among what was committed when the statement ran: two at once do not see each other. */
function park({ values }: Asked): Plan {
  const [topic, partition, offsets, keys, ids, codes, reasons, seen, sequences] = values as [string, number, number[], ...unknown[][]];
  return {
    run: (view) => {
      for (const [at, offset] of offsets.entries()) {
        const key = keys![at];
        const there = view.rows('letter').some(([, d]) => d['topic'] === topic && d['partition'] === partition && d['key'] === key && d['record_offset'] === String(offset));
        const sequence = sequences![at];
        const row: Row = { topic, partition, record_offset: String(offset), key, fact_id: ids![at], code: codes![at], reason: reasons![at], seen: seen![at], sequence: sequence === null ? null : String(sequence as number), schema_id: null, parked_at: new Date(Date.now()) };
        if (!there) view.set('letter', nextSerial(), row);
      }
      return [];
    },
  };
}

function failed({ match, values, view }: Asked): Plan {
  const ids = lettersOf(view, match[1]!, values).map(([id]) => id);
  return {
    locks: ids.map((id) => exclusive(`letter ${id}`)),
    run: (now) =>
      ids.flatMap((id) => {
        const row = now.get('letter', id);
        if (row) now.set('letter', id, { ...row, code: values[3], reason: values[4] });
        return row ? [{}] : [];
      }),
  };
}

function remove({ values, view }: Asked): Plan {
  const offsets = (values[3] as number[]).map(String);
  const ids = ofKey(view, values).flatMap(([id, row]) => (offsets.includes(row['record_offset'] as string) ? [id] : []));
  return {
    locks: ids.map((id) => exclusive(`letter ${id}`)),
    run: (now) => {
      for (const id of ids) now.remove('letter', id);
      return ids.map(() => ({}));
    },
  };
}
