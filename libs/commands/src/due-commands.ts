import { type Logger, Signal, backoffMs, detached, messageOf } from 'factline/kernel';
import type { FactOutbox } from 'factline/outbox';
import type { Store, Tx } from 'factline/store';
import { DUE_COMMANDS, DUE_LOOK_MS } from './limits.js';
import type { Schedules } from './schedules.js';

interface WaitingRow {
  number: string;
  id: string;
  becomes: string;
  topic: string;
  key: string;
  value: Buffer;
  traceparent: string | null;
}

/** Waited for by nobody: whoever comes second has nothing to do. Held, it keeps the commands of a key in the order of their times. */
const ALONE = `select pg_try_advisory_xact_lock(hashtextextended('factline.commands.due', 0)) as alone`;
/** Locked, so that a cancel and this decide one after the other; skipped, so that this waits for no cancel. */
const DUE = `select number, id, becomes, topic, key, value, traceparent from factline.waiting_command
  where not_before <= (select factline.command_now()) order by not_before, number limit ${DUE_COMMANDS} for update skip locked`;
const STATED = `update factline.job j set state = g.becomes, sequence = g.sequence, closed_at = case when g.becomes = 'sent' then clock_timestamp() end
  from unnest($1::uuid[], $2::text[], $3::bigint[]) as g (id, becomes, sequence) where j.id = g.id`;
const NEXT = `select extract(epoch from least((select min(not_before) from factline.waiting_command), (select min(next_due) from factline.command_schedule)) - factline.command_now())::float8 * 1000 as ms`;

export interface DueCommandsOptions {
  readonly store: Store;
  readonly outbox: FactOutbox;
  readonly schedules: Schedules;
  readonly log: Logger;
}

/** Sends commands on whose time has come, and those of schedules: in any number of processes, each command once, by the clock of the database. */
export class DueCommands {
  readonly #wake = new Signal();
  readonly #abort = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(private readonly options: DueCommandsOptions) {}

  start(): void {
    this.#loop ??= detached(() => this.#run())();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** Something waits that did not before: look when its time comes rather than half a second later. */
  wake(): void {
    this.#wake.notify();
  }

  /** Everything that is due now. @returns milliseconds until something is again, as far as known. */
  async step(): Promise<number> {
    const { store, schedules } = this.options;
    const sent = await store.transaction((tx) => this.#sendOn(tx));
    const more = await schedules.sendDue(store);
    if (sent === DUE_COMMANDS || more) return 0;
    const { rows } = await store.query<{ ms: number | null }>(NEXT, [], 'factline.command_next');
    const ms = rows[0]!.ms;
    return ms === null || ms <= 0 ? DUE_LOOK_MS : Math.min(DUE_LOOK_MS, Math.ceil(ms)); // due and not sent: somebody else is at it
  }

  async #sendOn(tx: Tx): Promise<number> {
    const { rows: locks } = await tx.query<{ alone: boolean }>(ALONE);
    if (!locks[0]!.alone) return 0;
    const { rows } = await tx.query<WaitingRow>(DUE, [], 'factline.command_due');
    if (rows.length === 0) return 0;
    const stated = await Promise.all(rows.map(({ id, value, topic, key, traceparent }) => this.options.outbox.addEncoded(tx, { id, value, topic, key, traceparent })));
    await tx.query(STATED, [rows.map(({ id }) => id), rows.map(({ becomes }) => becomes), stated.map(({ sequence }) => sequence)]);
    await tx.query('delete from factline.waiting_command where number = any($1::bigint[])', [rows.map(({ number }) => number)]);
    return rows.length;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let attempt = 0; !signal.aborted; ) {
      let waitMs: number;
      try {
        waitMs = await this.step();
        attempt = 0;
      } catch (error) {
        this.options.log.warn({ error: messageOf(error) }, 'commands whose time has come were not sent; trying again');
        waitMs = backoffMs(++attempt, { delay: DUE_LOOK_MS, maxDelay: '10s' });
      }
      if (waitMs > 0) await this.#wake.wait(waitMs, signal);
    }
  }
}
