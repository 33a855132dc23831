import type { Command } from 'factline/contracts';
import { FactlineError, type Logger, backoffMs, messageOf } from 'factline/kernel';
import type { Store, Tx } from 'factline/store';
import { CATCH_UP_DUES, SCHEDULE_RETRY_DELAY_MS, SCHEDULE_RETRY_MAX_MS } from './limits.js';
import { type ScheduleRule, checkRule, lastDue, nextDue } from './schedule-rule.js';

/** Makes the command of one due time. It may run again when its transaction does. */
export type CommandFactory = (due: Date) => Command;

export type ScheduleOptions = ScheduleRule & {
  /** What becomes of times that passed while no process of the app ran: the last of them is made up for, or each. */
  readonly catchUp: 'last' | 'all';
};

interface Registered {
  readonly factory: CommandFactory;
  failures: number;
  notBeforeMs: number;
}

interface ScheduleRow {
  rule: ScheduleRule;
  catch_up: 'last' | 'all';
  next_due: Date;
  now: Date;
}

const KEEP = `insert into factline.command_schedule as known (name, rule, catch_up, next_due) values ($1, $2, $3, $4)
  on conflict (name) do update set rule = excluded.rule, catch_up = excluded.catch_up, next_due = case when known.rule = excluded.rule then known.next_due else excluded.next_due end`;

/** Commands that are sent again and again, by a rule. When the next one is due lies in the database; what it is, the software says: each process registers it at its start. */
export class Schedules {
  readonly #known = new Map<string, Registered>();

  constructor(
    private readonly send: (tx: Tx, command: Command) => Promise<{ job: string }>,
    private readonly log: Logger,
  ) {}

  async keep(tx: Tx, name: string, { catchUp, ...rule }: ScheduleOptions, factory: CommandFactory): Promise<void> {
    checkRule(name, rule);
    const { rows } = await tx.query<{ now: Date }>('select factline.command_now() as now');
    await tx.query(KEEP, [name, JSON.stringify(rule), catchUp, nextDue(rule, rows[0]!.now)]);
    tx.onCommit(() => this.#known.set(name, { factory, failures: 0, notBeforeMs: 0 }));
  }

  async end(tx: Tx, name: string): Promise<boolean> {
    const { rowCount } = await tx.query('delete from factline.command_schedule where name = $1', [name]);
    tx.onCommit(() => this.#known.delete(name));
    return rowCount === 1;
  }

  /** Sends what is due of each schedule that this process knows. One that fails is told to the log, tried again later, and keeps no other from its time. @returns whether more is due at once. */
  async sendDue(store: Store): Promise<boolean> {
    let more = false;
    for (const [name, known] of this.#known) {
      if (performance.now() < known.notBeforeMs) continue;
      try {
        more = (await store.transaction((tx) => this.#sendOne(tx, name, known.factory))) || more;
        known.failures = 0;
      } catch (error) {
        if (error instanceof FactlineError && error.code === 'store.unavailable') throw error;
        known.failures++;
        known.notBeforeMs = performance.now() + backoffMs(known.failures, { delay: SCHEDULE_RETRY_DELAY_MS, maxDelay: SCHEDULE_RETRY_MAX_MS });
        this.log.error({ schedule: name, error: messageOf(error) }, 'a scheduled command was not sent; it is tried again');
      }
    }
    return more;
  }

  /** The row is held while its command is sent: of several processes one sends it. That each time is sent once is the key of `command_due`, whatever else goes wrong. */
  async #sendOne(tx: Tx, name: string, factory: CommandFactory): Promise<boolean> {
    const { rows } = await tx.query<ScheduleRow>(
      `select rule, catch_up, next_due, now from factline.command_schedule, (select factline.command_now() as now) as clock where name = $1 and next_due <= now for update of command_schedule skip locked`,
      [name],
    );
    const row = rows[0];
    if (!row) return false;
    const dues = duesOf(row);
    for (const due of dues) {
      const { rows: taken } = await tx.query<{ taken: boolean }>('select not exists (select from factline.command_due where name = $1 and due = $2) as taken', [name, due]);
      if (!taken[0]!.taken) continue;
      const { job } = await this.send(tx, factory(due));
      await tx.query('insert into factline.command_due (name, due, job) values ($1, $2, $3)', [name, due, job]);
    }
    const next = nextDue(row.rule, dues.at(-1)!);
    await tx.query('update factline.command_schedule set next_due = $2 where name = $1', [name, next]);
    return next <= row.now;
  }
}

function duesOf({ rule, catch_up: catchUp, next_due: from, now }: ScheduleRow): Date[] {
  if (catchUp === 'last') return [lastDue(rule, from, now)];
  const dues: Date[] = [];
  for (let due = from; due <= now && dues.length < CATCH_UP_DUES; due = nextDue(rule, due)) dues.push(due);
  return dues;
}
