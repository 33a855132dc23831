import type { Row, View } from './database.spec.support.js';
import { type Statement, exclusive } from './statement.spec.support.js';

const running = (view: View, subscription: unknown) => view.rows('redrive').filter(([, { state, subscription: of }]) => state === 'running' && of === subscription);
const keyId = (redrive: unknown, nth: unknown) => `${redrive as string}/${nth as number}`;
const keysOf = (view: View, redrive: unknown) => view.rows('redrive_key').filter(([, row]) => row['redrive'] === redrive);

function change(view: View, table: string, id: string, by: (row: Row) => Row): object[] {
  const row = view.get(table, id);
  if (row) view.set(table, id, { ...row, ...by(row) });
  return row ? [{}] : [];
}

const UPDATE_KEY = (columns: string) => new RegExp(`^update factline\\.redrive_key set ${columns}, tried_at = clock_timestamp\\(\\) where redrive = \\$1 and nth = \\$2$`);

/** The statements of `Redriver` and of who asks for a re-drive. */
export const REDRIVE_STATEMENTS: readonly Statement[] = [
  [
    /^select id, requested_by as by from factline\.redrive where subscription = \$1 and state = 'running'$/,
    ({ values: [subscription] }) => ({ run: (view) => running(view, subscription).map(([id, { by }]) => ({ id, by })) }),
  ],
  [
    /^insert into factline\.redrive \(subscription, canary, rate, stop_at, requested_by, keys\) values \(\$1, \$2, \$3, \$4, \$5, \$6\) returning /,
    ({ values: [subscription, canary, rate, stopAt, by, keys] }) => ({
      run: (view) => {
        const id = String(view.rows('redrive').length + 1);
        const row = { id, subscription, state: 'running', outcome: null, canary, rate, stop_at: stopAt, by, keys, tried: 0, failed: 0, facts: 0, next_at: Date.now() };
        view.set('redrive', id, row);
        return [row];
      },
    }),
  ],
  [
    /^insert into factline\.redrive_key \(redrive, nth, topic, partition, key\) select \$1, n, topic, partition, key from unnest/,
    ({ values: [redrive, topics, partitions, keys] }) => ({
      run: (view) => {
        for (const [at, key] of (keys as string[]).entries()) view.set('redrive_key', keyId(redrive, at + 1), { redrive, nth: at + 1, topic: (topics as string[])[at], partition: (partitions as number[])[at], key, state: null, facts: 0 });
        return [];
      },
    }),
  ],
  [
    /^select redrive, nth, topic, partition, key from factline\.redrive_key where state is null and redrive = \(select min\(id\) from factline\.redrive where subscription = \$1 and state = 'running'\) order by nth limit 1$/,
    ({ values: [subscription] }) => ({ run: (view) => running(view, subscription).slice(0, 1).flatMap(([id]) => keysOf(view, id).map(([, row]) => row).filter(({ state }) => state === null).slice(0, 1)) }),
  ],
  [
    /^select id, canary, rate, stop_at, tried, failed, keys, greatest\(.+\)::double precision as wait_ms from factline\.redrive where subscription = \$1 and state = 'running' order by id limit 1 for update skip locked$/,
    ({ values: [subscription], view, free }) => {
      const next = running(view, subscription).find(([id]) => free(`redrive ${id}`));
      return { locks: next ? [exclusive(`redrive ${next[0]}`)] : [], run: (now) => (next ? [{ ...now.get('redrive', next[0])!, wait_ms: Math.max(0, (next[1]['next_at'] as number) - Date.now()) }] : []) };
    },
  ],
  [
    /^select from factline\.redrive_key where redrive = \$1 and nth = \$2 and state is null$/,
    ({ values: [redrive, nth] }) => ({ run: (view) => (view.get('redrive_key', keyId(redrive, nth))?.['state'] === null ? [{}] : []) }),
  ],
  [
    UPDATE_KEY("facts = facts \\+ \\$3, state = case when \\$4 then 'applied' end"),
    ({ values: [redrive, nth, facts, done] }) => ({
      locks: [exclusive(`redrive_key ${keyId(redrive, nth)}`)],
      run: (view) => change(view, 'redrive_key', keyId(redrive, nth), (row) => ({ facts: (row['facts'] as number) + (facts as number), state: done ? 'applied' : null })),
    }),
  ],
  [
    /^update factline\.redrive set facts = facts \+ \$2, tried = tried \+ \$3, next_at = case .+ end where id = \$1$/,
    ({ values: [id, facts, tried, rate] }) => ({
      locks: [exclusive(`redrive ${id as string}`)],
      run: (view) =>
        change(view, 'redrive', id as string, (row) => ({
          facts: (row['facts'] as number) + (facts as number),
          tried: (row['tried'] as number) + (tried as number),
          ...(tried === 1 && Number(rate) > 0 && { next_at: Math.max(row['next_at'] as number, Date.now() - 1_000) + 1_000 / Number(rate) }),
        })),
    }),
  ],
  [
    UPDATE_KEY("state = 'blocked', code = \\$3"),
    ({ values: [redrive, nth, code] }) => ({ locks: [exclusive(`redrive_key ${keyId(redrive, nth)}`)], run: (view) => change(view, 'redrive_key', keyId(redrive, nth), () => ({ state: 'blocked', code })) }),
  ],
  [
    /^update factline\.redrive set tried = \$2, failed = \$3, state = case when \$4 then 'stopped' else state end, .+ where id = \$1$/,
    ({ values: [id, tried, failed, stops] }) => ({ locks: [exclusive(`redrive ${id as string}`)], run: (view) => change(view, 'redrive', id as string, () => ({ tried, failed, ...(stops === true && { state: 'stopped' }) })) }),
  ],
  [
    /^update factline\.redrive r set state = 'done', finished_at = clock_timestamp\(\) where subscription = \$1 and state = 'running' and not exists \(select from factline\.redrive_key k where k\.redrive = r\.id and k\.state is null\)$/,
    ({ values: [subscription], view }) => {
      const ended = running(view, subscription).filter(([id]) => !keysOf(view, id).some(([, { state }]) => state === null));
      return {
        locks: ended.map(([id]) => exclusive(`redrive ${id}`)),
        run: (now) => ended.filter(([id]) => now.get('redrive', id)?.['state'] === 'running').flatMap(([id]) => change(now, 'redrive', id, () => ({ state: 'done' }))),
      };
    },
  ],
  // Nobody edits here, and what was given up is in the operator's hand.
  [/^select fact, data, edited_by as by from factline\.edited_fact /, () => ({ run: () => [] })],
  [/^insert into factline\.given_up_fact /, () => ({ run: () => [{}] })],
];
