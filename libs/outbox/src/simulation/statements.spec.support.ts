import { type SqlLookup, type SqlValue, sqlCondition } from 'factline/testing/simulation';
import { parseSnapshot } from '../snapshot.js';
import { copyOf } from './copy-format.spec.support.js';
import type { SimulatedPostgres, StoredFact, Transaction } from './postgres.spec.support.js';

/** Whose statement it is. */
export interface Client {
  database: SimulatedPostgres;
  /** The session, if it is one: advisory locks are held by it. */
  session: object;
  /** Open, or made for this statement alone. */
  transaction: Transaction;
}

type Rows = Record<string, unknown>[];
interface Statement {
  text: RegExp;
  run(client: Client, match: RegExpExecArray, values: readonly SqlValue[]): Rows | Promise<Rows>;
}

function conditionOf(text: string) {
  return sqlCondition(text, { pg_visible_in_snapshot: (xid, snapshot) => visibleIn(BigInt(String(xid)), String(snapshot)) });
}

function visibleIn(xid: bigint, snapshot: string): boolean {
  const { xmax, running } = parseSnapshot(snapshot);
  return xid < BigInt(xmax) && !running.includes(String(xid));
}

const CLUSTER = 'simulated/1';
const HERE = "\\(select system_identifier \\|\\| '/' \\|\\| oid as cluster from pg_control_system\\(\\), pg_database where datname = current_database\\(\\)\\)";

const ownership: Statement[] = [
  {
    text: /^select pg_try_advisory_lock\(hashtextextended\('factline\.relay', 0\)\) as mine$/,
    run: ({ database, session }) => {
      database.advisory ??= session;
      return [{ mine: database.advisory === session }];
    },
  },
  { text: /^select set_config\('idle_session_timeout', \$1, false\), set_config\('tcp_user_timeout', \$1, false\), set_config\('enable_seqscan', 'off', false\)$/, run: () => [{}] },
  {
    text: new RegExp(
      `^update factline\\.relay set (epoch = epoch \\+ 1, )?owner = \\$1, acquired_at = clock_timestamp\\(\\), heartbeat_at = clock_timestamp\\(\\), cluster = here\\.cluster, timeline = coalesce\\(relay\\.timeline, server\\.timeline\\) from ${HERE} as here, \\(select .+ as timeline\\) as server where (.+) returning epoch, previous::text, current::text, page_id, delivered_total, pg_current_snapshot\\(\\)::text as now, server\\.timeline, relay\\.timeline <> server\\.timeline as failed_over$`,
    ),
    run: ({ database, transaction }, [, rises, condition]) => {
      const { relay } = database;
      if (!conditionOf(condition!)((name) => (name === 'relay.cluster' ? relay.cluster : CLUSTER))) return [];
      const now = { ...relay, cluster: CLUSTER, epoch: relay.epoch + (rises ? 1 : 0) };
      database.put(transaction, now, false);
      return [{ epoch: String(now.epoch), previous: now.previous, current: now.current, page_id: String(now.pageId), delivered_total: String(now.delivered), now: database.snapshot(), timeline: 1, failed_over: false }]; // nothing fails over here
    },
  },
  {
    text: /^update factline\.relay set previous = \$2::pg_snapshot, current = \$3::pg_snapshot, page_id = \$4, delivered_total = \$5, heartbeat_at = clock_timestamp\(\) from \(select set_config\('synchronous_commit', 'off', true\)\) as quick( where (.+))?$/,
    run: ({ database, transaction }, [, , condition], values) => {
      const [, previous, current, pageId, delivered] = values as [number, string, string | null, number, number];
      const lookup: SqlLookup = (name) => (name === 'epoch' ? database.relay.epoch : values[Number(name.slice(1)) - 1]!);
      if (condition && !conditionOf(condition)(lookup)) return [];
      database.put(transaction, { ...database.relay, previous, current, pageId, delivered }, true);
      return [{ epoch: database.relay.epoch }];
    },
  },
];

const setAside: Statement[] = [
  {
    text: /^with relay as \( (update factline\.relay .+) returning epoch\), held as \( insert into factline\.outbox_held \(id, topic, partition, key, sequence, value, traceparent\) select fact\.\* from relay, unnest\((.+)\) as fact on conflict do nothing\) select epoch from relay$/,
    run: async (client, [, update, arrays], values) => {
      const epoch = await answer(client, update!, values);
      if (epoch.length === 0 || arrays !== '$6::bigint[], $7::text[], $8::integer[], $9::text[], $10::bigint[], $11::bytea[], $12::text[]') return epoch;
      const [ids, topics, partitions, keys, sequences, bytes] = values.slice(5) as unknown as [number[], string[], number[], string[], number[], Buffer[]];
      const { database, transaction } = client;
      const known = new Set(database.held.map(({ id }) => id));
      const rows = ids.map((id, at) => ({ id, topic: topics[at]!, partition: partitions[at]!, key: keys[at]!, sequence: sequences[at]!, value: bytes[at]! }));
      database.hold(transaction, [...database.held, ...rows.filter(({ id }) => !known.has(id))]);
      return epoch;
    },
  },
  {
    text: /^select distinct topic, partition from factline\.outbox_held( where id < 0)?$/,
    run: ({ database }, [, nobody]) => {
      const places = new Set(nobody ? [] : database.held.map(({ topic, partition }) => JSON.stringify({ topic, partition })));
      return [...places].map((place) => JSON.parse(place) as Record<string, unknown>);
    },
  },
  {
    text: /^select id, key from factline\.outbox_held where topic = \$1 and partition = \$2 and id > \$3 order by id limit (\d+)$/,
    run: ({ database }, [, limit], [topic, partition, after]) => {
      const rows = database.held.filter((each) => each.topic === topic && each.partition === partition && each.id > Number(after)).toSorted((one, other) => one.id - other.id);
      return rows.slice(0, Number(limit)).map(({ id, key }) => ({ id: String(id), key }));
    },
  },
  {
    text: /^select id::float8 as id, topic, key, sequence::float8 as sequence, value, traceparent from factline\.outbox_held where topic = \$1 and partition = \$2 order by id limit (\d+)$/,
    run: ({ database }, [, limit], [topic, partition]) => {
      const rows = database.held.filter((each) => each.topic === topic && each.partition === partition).toSorted((one, other) => one.id - other.id);
      return rows.slice(0, Number(limit)).map((row) => ({ ...row, traceparent: null }));
    },
  },
  {
    text: /^delete from factline\.outbox_held where topic = \$1 and partition = \$2 and id = any\(\$3::bigint\[\]\)$/,
    run: ({ database, transaction }, _match, [, , ids]) => {
      database.hold(transaction, database.held.filter(({ id }) => !(ids as unknown as number[]).includes(id)));
      return [];
    },
  },
];

const ticks: Statement[] = [
  {
    text: /^select pg_current_snapshot\(\)::text as snapshot, floor\(extract\(epoch from statement_timestamp\(\)\) \* 1000\)::float8 as "asOf", coalesce\(pg_sequence_last_value\('factline\.outbox_id'\), 0\)::float8 as mark$/,
    run: ({ database }) => [{ snapshot: database.snapshot(), asOf: database.simulation.time.now, mark: database.lastId }],
  },
  {
    text: /^copy \(select id, topic, key, sequence, value, traceparent from factline\.outbox where (.+) order by id(?: \+ 0)? limit (\d+)\) to stdout \(format binary\)$/,
    run: async ({ database }, [, condition, limit]) => {
      const holds = conditionOf(condition!);
      const rows = (await database.visible()).filter((fact) => holds(columnsOf(fact)));
      return [{ chunk: copyOf(rows.slice(0, Number(limit))) }];
    },
  },
  { text: /^select pending::float8 as rows, /, run: ({ database }) => [{ rows: Math.max(0, database.lastId - database.relay.pageId), bytes: 0, age: 0, slot: database.slot.slot, heldRows: database.held.length, heldBytes: 0, heldAge: 0 }] },
];

const rotation: Statement[] = [
  {
    text: /^select slot, \(coalesce\(pg_sequence_last_value\('factline\.outbox_id'\), 0\) - first_id \+ 1\)::float8 as ids, /,
    run: ({ database }) => [{ slot: database.slot.slot, ids: database.lastId - database.slot.firstId + 1, age_ms: 0, filled: [...database.filled] }],
  },
  {
    text: /^select exists \( select from factline\.outbox_(\d), \(select previous, pg_snapshot_xmin\(previous\) as xmin from factline\.relay\) as relay where (.+)\) as undelivered$/,
    run: ({ database }, [, slot, condition]) => {
      const { previous } = database.relay;
      const relay = (name: string) => (name === 'relay.previous' ? previous : previous.split(':')[0]!);
      const holds = conditionOf(condition!);
      return [{ undelivered: database.inSlot(Number(slot)).some((fact) => holds((name) => (name.startsWith('relay.') ? relay(name) : columnsOf(fact)(name)))) }];
    },
  },
  { text: /^select set_config\('lock_timeout', \$1, true\)$/, run: () => [{}] },
  {
    text: /^lock table only factline\.outbox_(\d) in access exclusive mode$/,
    run: ({ database, transaction }, [, slot]) => {
      database.lockSlot(transaction, Number(slot));
      return [];
    },
  },
  {
    text: /^truncate only factline\.outbox_(\d)$/,
    run: ({ database, transaction }, [, slot]) => {
      database.truncate(transaction, Number(slot));
      return [];
    },
  },
  {
    text: /^update factline\.slot set slot = \$2, since = clock_timestamp\(\), first_id = coalesce\(pg_sequence_last_value\('factline\.outbox_id'\), 0\) \+ 1, rotations = rotations \+ 1 where slot = \$1$/,
    run: ({ database, transaction }, _match, [from, to]) => {
      if (database.slot.slot !== from) return [];
      database.xidOf(transaction);
      database.slot = { slot: Number(to), firstId: database.lastId + 1, rotations: database.slot.rotations + 1 };
      return [{}];
    },
  },
];

const STATEMENTS = [...ownership, ...setAside, ...ticks, ...rotation];

/** Answers the statements of the relay, its ownership and its rotation. @throws Error for any other: nothing is answered by a guess. */
export function answer(client: Client, text: string, values: readonly SqlValue[] = []): Rows | Promise<Rows> {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  for (const statement of STATEMENTS) {
    const match = statement.text.exec(line);
    if (match) return statement.run(client, match, values);
  }
  throw new Error(`This statement is not simulated: ${line}`);
}

function columnsOf(fact: StoredFact): SqlLookup {
  return (name) => {
    if (name === 'id' || name === 'xid') return fact[name];
    throw new Error(`not simulated: the column ${name}`);
  };
}
