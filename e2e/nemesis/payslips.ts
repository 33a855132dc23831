import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, type RegisteredSchemas, type SelectedFact } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import { FactOutbox, Relay } from 'factline/outbox';
import { LiveReactions, type ReactionRun, type Reactions, Redriver, migrateReactions, reactions } from 'factline/reactions';
import type { Store, Tx } from 'factline/store';
import { EmployeeMoved as produced } from '../../apps/hr/src/contracts.generated.js';
import { EmployeeMoved, type EmployeeMovedSelection } from '../../apps/payroll/src/contracts.generated.js';
import { movedOn } from '../support/tally.js';

/** Name of the subscription, its schema and its table of effects. */
export const PAYSLIPS = 'payslips';
/** Where it states facts of its own. */
export const PAYSLIP_TOPIC = 'nemesis.payslip';
/** Of all facts one in so many fails the first time it is tried. */
const STUMBLES_EVERY = 50;
/** In the table of troubles: every key is meant. */
const EVERYBODY = '*';

/**
 * Effects without a constraint, so that one that happens twice is seen; and what the handler is to meet: keys that are refused for good until they are taken out, and an outage,
 * which is a key `*`.
 */
export async function migratePayslips(store: Store): Promise<void> {
  await migrateReactions(store);
  await store.query(`create schema if not exists ${PAYSLIPS}`);
  await store.query(`create table if not exists ${PAYSLIPS}.${PAYSLIPS} (n bigserial, key text not null, sequence bigint not null, redriven boolean not null)`);
  await store.query(`create table if not exists ${PAYSLIPS}.trouble (key text primary key)`);
}

/** For each move of an employee a row and a fact, in one transaction. */
export function payslips(outbox: FactOutbox, { topic = EmployeeMoved.topic, states = PAYSLIP_TOPIC, meets = () => undefined }: { topic?: string; states?: string; meets?: (key: string) => unknown } = {}): Reactions {
  const selected: SelectedFact<EmployeeMovedSelection> = { ...EmployeeMoved, topic };
  return reactions({ name: PAYSLIPS, from: 'beginning' }).on(selected, async ({ key, meta, data }, tx, run) => {
    await meets(key);
    await stumble(tx, key, data.salaryCents ?? 0, run);
    await tx.query(`insert into ${PAYSLIPS}.${PAYSLIPS} (key, sequence, redriven) values ($1, $2, $3)`, [key, meta.sequence, run.redriven]);
    await outbox.add(tx, { ...produced(key, { location: data.location, jobTitle: null, salaryCents: data.salaryCents, currency: data.currency }), type: movedOn(states) });
  });
}

async function stumble(tx: Tx, key: string, cents: number, { attempt, redriven }: ReactionRun): Promise<void> {
  const { rows } = await tx.query<{ key: string }>(`select key from ${PAYSLIPS}.trouble where key in ($1, '${EVERYBODY}')`, [key]);
  const troubles = rows.map((row) => row.key);
  if (troubles.includes(EVERYBODY)) throw new FactlineError({ code: 'printer.unavailable', kind: 'unavailable', message: 'The printer is away.' });
  if (troubles.includes(key)) throw new FactlineError({ code: 'payslip.refused', kind: 'refused', message: 'Not this one.' });
  if (cents % STUMBLES_EVERY === 0 && attempt === 1 && !redriven) throw new TypeError('now and then');
}

/** An outage of what every key needs. */
export async function outage(store: Store, away: boolean): Promise<void> {
  await refuse(store, away ? [EVERYBODY] : []);
  if (!away) await admit(store, [EVERYBODY]);
}

/** Facts of these keys fail for good from now on. */
export async function refuse(store: Store, keys: readonly string[]): Promise<void> {
  await store.query(`insert into ${PAYSLIPS}.trouble (key) select * from unnest($1::text[]) on conflict do nothing`, [keys]);
}

export async function admit(store: Store, keys: readonly string[]): Promise<void> {
  await store.query(`delete from ${PAYSLIPS}.trouble where key = any($1::text[])`, [keys]);
}

/** What a process runs for it: subscription, re-drive, outbox and relay. */
export function startPayslips({ log, store, schemas }: { log: FactLog; store: Store; schemas: RegisteredSchemas }) {
  const outbox = new FactOutbox({ store, schemaIds: schemas });
  const made = payslips(outbox);
  const live = new LiveReactions(made, store, new FactDecoder(made.facts, schemas), PAYSLIPS);
  const subscription = new FactSubscription({ name: PAYSLIPS, group: PAYSLIPS, topics: made.topics, log, target: live, freshness: new Freshness() });
  const redriver = new Redriver({ reactions: made, inbox: live.inbox, store, log, decoder: new FactDecoder(made.facts, schemas) });
  const { topic } = movedOn(PAYSLIP_TOPIC);
  const relay = new Relay({ store, log, app: topic.owner, topics: [topic] });
  relay.start();
  subscription.start();
  redriver.start();
  return {
    subscription,
    stop: async () => {
      await redriver.stop();
      await subscription.stop();
      await relay.stop();
    },
  };
}
