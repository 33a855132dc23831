import { type TopicDeclaration, factIdOf, sequenceOf } from 'factline/contracts';
import { FactlineError, type Logger, grouped } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Executor, Tx } from 'factline/store';
import { FAILOVER_KEYS_TOLD, FAILOVER_TAIL_MAX_RECORDS, FAILOVER_TAIL_RECORDS } from './limits.js';
import type { Ownership } from './ownership.js';

/** The log's last word about a key: the ids of its facts by their numbers. */
type Tail = Map<string, Map<number, string>>;

/** A key whose published facts this database has lost. */
export interface LostFacts {
  topic: string;
  key: string;
  /** Numbers of the facts that are in the log only. */
  from: number;
  to: number;
}

export interface FailoverParts {
  ownership: Ownership;
  log: FactLog;
  /** All topics the app declares; those that it alone writes are looked at. */
  topics: readonly TopicDeclaration[];
  app: string;
  logger: Logger;
}

interface Undelivered {
  id: number;
  key: string;
  sequence: number;
  value: Buffer;
}

/**
 * What a relay does first when its database has gone over to another server (its timeline has changed): an asynchronous standby may lack the last transactions of the old one,
 * whose facts are in the log and stay there. It looks for them at the end of the app's own topics, tells which keys they are of, and goes on behind their numbers, so that a number never stands for
 * two facts: facts that were stated since, and not published yet, get later ones.
 *
 * Promised: with up to a million facts a partition published and lost. Not promised: that the lost rows come back, or that a token given out since the failover is for that very fact; anything about
 * command queues, into which other apps write too.
 */
export async function afterFailover({ ownership, log, topics, app, logger }: FailoverParts): Promise<void> {
  const { failedOverTo: timeline } = ownership;
  if (timeline === undefined) return;
  const suspects = new Map<string, Tail>();
  for (const { name } of topics.filter(({ owner, kind }) => owner === app && kind === 'facts')) suspects.set(name, await suspectsOf(ownership, log, name));
  const lost: LostFacts[] = [];
  await ownership.turns.take((session) =>
    session.transaction(async (tx) => {
      for (const [topic, tail] of suspects) if (tail.size > 0) lost.push(...(await goOnBehind(tx, topic, tail)));
      await remember(tx, ownership.epoch, timeline, lost); // together: an attempt that was cut off between them would find nothing to tell
    }),
  );
  const facts = factsOf(lost);
  if (facts === 0) logger.info({ timeline }, 'the database went over to another server, and everything published is in it');
  else logger.error({ timeline, facts, keys: lost.length, first: lost[0] }, 'the database went over to another server without facts that are published: factline outbox doctor names their keys');
}

/** Keys at the end of a topic of which the log has facts that the database does not have; reads further back until the older half has none. */
async function suspectsOf({ turns }: Ownership, log: FactLog, topic: string): Promise<Tail> {
  const [state] = await log.describe([topic]);
  for (let records = FAILOVER_TAIL_RECORDS; ; records *= 2) {
    const older: Tail = new Map();
    const newer: Tail = new Map();
    const ranges = state!.partitions.map(({ start, end }, partition) => ({ partition, from: Math.max(start, end - records), to: end })).filter(({ from, to }) => from < to);
    const middle = new Map(ranges.map(({ partition, from, to }) => [partition, (from + to) / 2]));
    await log.read({
      topic,
      topicId: state!.id,
      ranges,
      batch: ({ partition, records: read }) => {
        for (const { offset, key, value } of read) put(offset < middle.get(partition)! ? older : newer, key, value);
      },
    });
    const suspects = await turns.take(async (session) => [await suspected(session, topic, older), await suspected(session, topic, newer)] as const);
    const whole = ranges.every(({ partition, from }) => from === state!.partitions[partition]!.start);
    if (suspects[0].size === 0 || whole || records >= FAILOVER_TAIL_MAX_RECORDS) return merged(suspects[0], suspects[1]);
  }
}

/** Bytes that are no fact have no number that could be given again. */
function put(tail: Tail, key: Buffer, value: Buffer | null): void {
  let sequence: number;
  try {
    sequence = sequenceOf(value);
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'fact.undecodable') return;
    throw error;
  }
  const name = key.toString('utf8');
  const ids = tail.get(name) ?? new Map<number, string>();
  tail.set(name, ids.set(sequence, hex(value!)));
}

/** Without a lock: what is suspected is looked at again under one. */
async function suspected(db: Executor, topic: string, tail: Tail): Promise<Tail> {
  const keys = [...tail.keys()];
  const given = await sequences(db, topic, keys);
  const undelivered = grouped(await undeliveredOf(db, topic, keys), ({ key }) => key);
  const reused = (key: string) => undelivered.get(key)?.some((row) => isReused(row, tail.get(key)!)) ?? false;
  return new Map(keys.filter((key) => newestOf(tail.get(key)!) > (given.get(key) ?? 0) || reused(key)).map((key) => [key, tail.get(key)!]));
}

/** Holds the keys' locks, as writers do: nobody states a fact of them meanwhile. */
async function goOnBehind(tx: Tx, topic: string, tail: Tail): Promise<LostFacts[]> {
  const keys = [...tail.keys()].toSorted();
  await tx.query('insert into factline.outbox_key (topic, key, sequence) select $1, *, 0 from unnest($2::text[]) on conflict do nothing', [topic, keys]);
  const given = await sequences(tx, topic, keys, 'order by key for update');
  const undelivered = grouped(await undeliveredOf(tx, topic, keys), ({ key }) => key);
  const lost: LostFacts[] = [];
  const later: { id: number; sequence: number }[] = [];
  const last: number[] = [];
  for (const key of keys) {
    const published = tail.get(key)!;
    const own = undelivered.get(key) ?? [];
    const known = given.get(key)!;
    const first = own.find((row) => isReused(row, published))?.sequence ?? known + 1;
    const to = newestOf(published);
    const shift = Math.max(0, to - first + 1);
    if (shift > 0) lost.push({ topic, key, from: first, to });
    for (const { id, sequence } of own) if (sequence >= first) later.push({ id, sequence: sequence + shift });
    last.push(known + shift);
  }
  await tx.query('update factline.outbox_key as known set sequence = given.sequence from unnest($2::text[], $3::bigint[]) as given (key, sequence) where topic = $1 and known.key = given.key', [topic, keys, last]);
  await tx.query('update factline.outbox as fact set sequence = given.sequence from unnest($1::bigint[], $2::bigint[]) as given (id, sequence) where fact.id = given.id', [
    later.map(({ id }) => id),
    later.map(({ sequence }) => sequence),
  ]);
  return lost;
}

/** Not by Math.max(...): a busy key has more facts than a call takes arguments. */
function newestOf(published: ReadonlyMap<number, string>): number {
  let newest = 0;
  for (const sequence of published.keys()) newest = Math.max(newest, sequence);
  return newest;
}

/** Another fact than the published one of its number; the same one is only going to be sent again. */
function isReused({ sequence, value }: Undelivered, published: ReadonlyMap<number, string>): boolean {
  const id = published.get(sequence);
  return id !== undefined && id !== hex(value);
}

async function sequences(db: Executor, topic: string, keys: readonly string[], how = ''): Promise<Map<string, number>> {
  const { rows } = await db.query<{ key: string; sequence: number }>(`select key, sequence::float8 as sequence from factline.outbox_key where topic = $1 and key = any($2::text[]) ${how}`, [topic, keys]);
  return new Map(rows.map(({ key, sequence }) => [key, sequence]));
}

async function undeliveredOf(db: Executor, topic: string, keys: readonly string[]): Promise<Undelivered[]> {
  const { rows } = await db.query<Undelivered>(
    `select id::float8 as id, key, sequence::float8 as sequence, value from factline.outbox, (select previous from factline.relay) as relay
      where topic = $1 and key = any($2::text[]) and not pg_visible_in_snapshot(xid, previous) order by key, sequence`,
    [topic, keys],
  );
  return rows;
}

/** A relay that another one has followed remembers nothing: the other one looks for itself. */
async function remember(tx: Tx, epoch: number, timeline: number, lost: readonly LostFacts[]): Promise<void> {
  await tx.query(
    `with mine as (update factline.relay set timeline = $2 where epoch = $1 returning 1)
     insert into factline.failover (timeline, facts, keys, lost) select $2, $3, $4, $5 from mine`,
    [epoch, timeline, factsOf(lost), lost.length, JSON.stringify(lost.slice(0, FAILOVER_KEYS_TOLD))],
  );
}

function factsOf(lost: readonly LostFacts[]): number {
  return lost.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

function merged(older: Tail, newer: Tail): Tail {
  const all: Tail = new Map(newer);
  for (const [key, ids] of older) all.set(key, new Map([...ids, ...(newer.get(key) ?? [])]));
  return all;
}

function hex(value: Buffer): string {
  return Buffer.from(factIdOf(value)).toString('hex');
}
