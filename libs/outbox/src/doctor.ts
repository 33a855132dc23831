import { type Clock, systemClock } from 'factline/kernel';
import type { Store } from 'factline/store';
import {
  CLOCK_DIFFERENCE_MS,
  DOCTOR_QUERY_CHARACTERS,
  DOCTOR_SESSIONS,
  EMPTY_SLOT_BYTES,
  FAILOVER_TOLD_DAYS,
  LONG_TRANSACTION_MS,
  RELAY_SILENT_MS,
  ROTATION_STUCK_MS,
} from './limits.js';
import type { LostFacts } from './failover.js';
import type { HoldingSession, OutboxFinding } from './finding.js';
import { type PressureLimits, judge, pressureLimits } from './pressure.js';
import { type HeldPartition, type OutboxStatus, outboxStatus } from './status.js';
import { SNAPSHOT_HOLDERS, vacuumFindings } from './vacuum.js';

const SESSION = `pid, coalesce(application_name, '') as application, coalesce(datname, '') as database, coalesce(state, '') as state,
  coalesce((extract(epoch from clock_timestamp() - xact_start) * 1000)::float8, 0) as "ageMs", left(coalesce(query, ''), ${DOCTOR_QUERY_CHARACTERS}) as query`;

/** The oldest running transactions with an id of their own, in all databases: their facts wait, and slots with such facts cannot be emptied. */
const OLDEST = `
select * from (
  select ${SESSION} from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
  union all
  select null, gid, database, 'prepared', (extract(epoch from clock_timestamp() - prepared) * 1000)::float8, '' from pg_prepared_xacts
) as holder where "ageMs" >= $1 order by "ageMs" desc limit ${DOCTOR_SESSIONS}`;

const OLD_SNAPSHOTS = `select * from (select ${SESSION} ${SNAPSHOT_HOLDERS}) as holder where "ageMs" >= $1 order by "ageMs" desc limit ${DOCTOR_SESSIONS}`;

/** Who holds a lock on a slot that is not written any more. */
const SLOT_HOLDERS = `
select distinct ${SESSION} from pg_locks join pg_stat_activity using (pid)
 where relation = any($1::regclass[]) and granted and pid <> pg_backend_pid() order by "ageMs" desc limit ${DOCTOR_SESSIONS}`;

interface Failover {
  timeline: number;
  at: Date;
  facts: number;
  keys: number;
  lost: LostFacts[];
}

const FAILOVERS = `
select timeline, found_at as at, facts::float8 as facts, keys::float8 as keys, lost from factline.failover
 where facts > 0 and found_at > clock_timestamp() - interval '${FAILOVER_TOLD_DAYS} days' order by timeline`;

/** For `factline outbox doctor`: what is wrong, who holds it up, and what to do. An empty answer means that nothing was found. */
export async function outboxDoctor(
  store: Store,
  limits: PressureLimits = pressureLimits,
  clock: Clock = systemClock,
  longTransactionMs: number = LONG_TRANSACTION_MS,
): Promise<OutboxFinding[]> {
  const asked = clock.now();
  const [status, failovers, oldest, snapshots, now] = await Promise.all([
    outboxStatus(store),
    store.query<Failover>(FAILOVERS),
    store.query<HoldingSession>(OLDEST, [longTransactionMs]),
    store.query<HoldingSession>(OLD_SNAPSHOTS, [longTransactionMs]),
    store.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now'),
  ]);
  const answered = clock.now();
  return [
    ...relayFindings(status),
    ...pressureFindings(status, limits),
    ...status.held.map(heldPartition),
    ...failovers.rows.map(lostFacts),
    ...oldest.rows.map(longTransaction),
    ...(await vacuumFindings(store, snapshots.rows)),
    ...(await rotationFindings(store, status)),
    ...clockFindings(now.rows[0]!.now, asked, answered),
  ];
}

function relayFindings(status: OutboxStatus): OutboxFinding[] {
  const { owned, owner, heartbeatAgeMs } = status;
  const age = heartbeatAgeMs === null ? 'ever' : `for ${Math.round(heartbeatAgeMs / 1_000)} s`;
  if (!owned) {
    const message = `No relay publishes from this database; ${owner ? `${owner} was the last one, silent ${age}` : 'none has run yet'}.`;
    return [{ code: 'outbox.no-relay', severity: 'problem', message, advice: 'Start the app, or one with `relay: {enabled: true}`.' }];
  }
  if (heartbeatAgeMs !== null && heartbeatAgeMs > RELAY_SILENT_MS) {
    const advice = 'The server ends its session after 15 s of silence and another relay takes over; if this stays, look for a process that hangs.';
    return [{ code: 'outbox.relay-silent', severity: 'problem', message: `${owner} owns the outbox and is silent ${age}.`, advice }];
  }
  return [];
}

function pressureFindings({ pending }: OutboxStatus, limits: PressureLimits): OutboxFinding[] {
  const { state, reasons } = judge(pending, limits);
  if (state === 'ok') return [];
  const advice =
    state === 'hard'
      ? 'New facts are refused with 503. See whether the broker takes records and whether a relay runs.'
      : 'Facts are still taken. See whether the broker takes records and whether a relay runs, before the hard limit is reached.';
  return [{ code: `outbox.${state}-limit`, severity: state === 'hard' ? 'problem' : 'warning', message: `${reasons.join('; ')}.`, advice }];
}

function heldPartition({ topic, partition, facts, since }: HeldPartition): OutboxFinding {
  return {
    code: 'outbox.partition-held',
    severity: 'problem',
    message: `'${topic}' partition ${partition} takes no facts; ${facts} are set aside for it since ${since.toISOString()}, and other partitions go on.`,
    advice: "The relay's log says why: a leader that is missing, a right, or the topic's max.message.bytes. They are sent in their order as soon as it takes them.",
    details: { topic, partition, facts },
  };
}

function lostFacts({ timeline, at, facts, keys, lost }: Failover): OutboxFinding {
  const [first] = lost;
  return {
    code: 'outbox.failover-lost-facts',
    severity: 'problem',
    message: `Found at ${at.toISOString()}: the database went over to another server (timeline ${timeline}) without ${facts} facts that are published, of ${keys} keys; first '${first!.key}' in '${first!.topic}', ${numbers(first!)}.`,
    advice:
      'Consumers have applied them, the rows of this app lack them: --json names the keys. Repair the rows, or state what is true now as new facts; numbers go on behind the lost ones. ' +
      `Then: delete from factline.failover where timeline = ${timeline}; and have a synchronous standby.`,
    details: { timeline, facts, keys, lost },
  };
}

function numbers({ from, to }: LostFacts): string {
  return from === to ? `number ${from}` : `numbers ${from} to ${to}`;
}

function longTransaction(session: HoldingSession): OutboxFinding {
  const who = session.pid === null ? `Prepared transaction '${session.application}'` : `Session ${session.pid} (${session.application || 'no name'}, ${session.state})`;
  const end = session.pid === null ? `rollback prepared '${session.application}'` : `select pg_terminate_backend(${session.pid})`;
  return {
    code: 'outbox.long-transaction',
    severity: 'warning',
    message: `${who} in database '${session.database}' has a transaction open for ${Math.round(session.ageMs / 1_000)} s: ${session.query || 'query not readable'}`,
    advice: `Its own facts wait for its commit, and dead rows and old slots stay; others are not delayed. If it will not end by itself: ${end};`,
    details: { ...session },
  };
}

async function rotationFindings(store: Store, { slots, slotAgeMs }: OutboxStatus): Promise<OutboxFinding[]> {
  const left = slots.filter(({ written, bytes }) => !written && bytes > EMPTY_SLOT_BYTES);
  if (left.length === 0 || slotAgeMs < ROTATION_STUCK_MS) return [];
  const tables = left.map(({ slot }) => `factline.outbox_${slot}`);
  const { rows: holders } = await store.query<HoldingSession>(SLOT_HOLDERS, [tables]);
  const named = holders.map(({ pid, application, state }) => `${pid} (${application || 'no name'}, ${state})`).join(', ');
  return [
    {
      code: 'outbox.rotation-stuck',
      severity: 'warning',
      message: `${tables.join(' and ')} could not be emptied for ${Math.round(slotAgeMs / 60_000)} min${named ? `; locks are held by session ${named}` : ''}.`,
      advice: 'Delivered facts take disk until then. A long reader (pg_dump) or writer must end, or undelivered facts must be published first.',
      details: { holders },
    },
  ];
}

function clockFindings(databaseMs: number, asked: number, answered: number): OutboxFinding[] {
  const difference = Math.max(asked - databaseMs, databaseMs - answered, 0);
  if (difference < CLOCK_DIFFERENCE_MS) return [];
  return [
    {
      code: 'outbox.clock',
      severity: 'warning',
      message: `The database's clock differs from this machine's by ${Math.round(difference)} ms.`,
      advice: 'As-of times of watermarks are the database clock\'s: synchronise both machines (NTP).',
    },
  ];
}
