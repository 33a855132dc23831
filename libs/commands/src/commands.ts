import type { Command } from 'factline/contracts';
import { type Duration, FactlineError, type Logger, milliseconds, silentLogger } from 'factline/kernel';
import type { FactOutbox } from 'factline/outbox';
import { type Store, type Tx, assertTx, traceOf } from 'factline/store';
import { Backlogs } from './backlog.js';
import { cancelJob } from './cancel.js';
import { DueCommands } from './due-commands.js';
import { IDEMPOTENCY_KEY_CHARACTERS, JOBS_KEPT_MS } from './limits.js';
import type { CommandQueue } from './queue.js';
import { JobRetention } from './retention.js';
import { type CommandFactory, type ScheduleOptions, Schedules } from './schedules.js';
import { wireKey } from './wire-key.js';

export interface SendOptions {
  /** A second send of the queue with the same key sends nothing and answers the first job. Kept as long as the job. */
  idempotencyKey?: string;
  /** Not handed on before: a moment, or so long from now, by the clock of the database. It waits in Postgres, and is handed on half a second later at most while a process of the app runs. */
  notBefore?: Date | Duration;
  /** Default `normal`. It says who is refused first when the queue is too long; it overtakes nobody. */
  priority?: Priority;
}

export type Priority = 'low' | 'normal' | 'high';

/** A command that is sent with the commit of its transaction. */
export interface SentCommand {
  /** UUID version 7: `GET /jobs/<job>`. */
  readonly job: string;
  /** Whether it was sent before, with the same idempotency key: nothing was sent now. */
  readonly repeated: boolean;
  /** Until when it waits; null: nothing keeps it. Of a repeated send: what is said of the first. */
  readonly notBefore: Date | null;
}

export interface CommandsOptions {
  /** The app that sends: its name is part of the record's key. */
  app: string;
  store: Store;
  outbox: FactOutbox;
  log?: Logger;
  /** How long finished jobs are kept, and with them their idempotency keys. Default 7 days. */
  keepJobs?: Duration;
}

const PRIORITIES: Readonly<Record<Priority, number>> = { low: -1, normal: 0, high: 1 };

const INSERT = `insert into factline.job (id, queue, key, command, sender, priority, state, idempotency_key, sequence, not_before, closed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $11::float8 is null then $10::timestamptz else factline.command_now() + $11 * interval '1 millisecond' end, case when $7 = 'sent' then clock_timestamp() end)
  on conflict (queue, idempotency_key) where idempotency_key is not null do nothing returning not_before`;
const WAIT = 'insert into factline.waiting_command (id, not_before, becomes, topic, key, value, traceparent) values ($1, $2, $3, $4, $5, $6, $7)';

/**
 * Sends commands, each in the transaction that decides it.
 *
 * Promised: a command is sent if and only if its transaction commits; commands of one app for one key are handled in the order of the commits; of several sends with one
 * idempotency key one is sent, whoever sends at the same time. Not promised: order between keys, or between apps.
 */
export class Commands {
  readonly #backlogs = new Backlogs();
  readonly #due: DueCommands;
  readonly #retention: JobRetention;
  readonly #schedules: Schedules;

  constructor(private readonly options: CommandsOptions) {
    const { store, outbox, log = silentLogger } = options;
    this.#schedules = new Schedules((tx, command) => this.send(tx, command), log);
    this.#due = new DueCommands({ store, outbox, schedules: this.#schedules, log });
    this.#retention = new JobRetention(store, milliseconds(options.keepJobs ?? JOBS_KEPT_MS), log);
  }

  /** Begins to send on what waits for its time, and to remove finished jobs. Any number of processes may; without one, waiting commands and schedules wait. */
  start(): void {
    this.#due.start();
    this.#retention.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#due.stop(), this.#retention.stop()]);
  }

  /** From now on what is sent to this queue is held to its declared backlog, in this process. */
  guard({ queue, options: { backlog } }: Pick<CommandQueue, 'queue' | 'options'>): void {
    if (backlog) this.#backlogs.guard(queue, backlog);
  }

  /**
   * Sends a command in an open transaction.
   * @throws FactlineError `store.not-a-transaction`; `outbox.full`; `fact.invalid` with `details.path`; `fact.too-large`; `command.idempotency-key`; `command.in-progress` (conflict, worth a retry);
   * `command.backlog` (unavailable, with `retryAfterMs`) where the queue says so.
   */
  async send(tx: Tx, command: Command, { idempotencyKey, notBefore, priority = 'normal' }: SendOptions = {}): Promise<SentCommand> {
    assertTx(tx);
    const { app, outbox } = this.options;
    const { topic, factName } = command.type;
    if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
    const putOffMs = notBefore === undefined ? await this.#admit(tx, topic.name, priority, idempotencyKey) : undefined;
    if (typeof putOffMs === 'object') return putOffMs;
    const key = wireKey(app, command.key);
    const { id, value } = outbox.encode(tx, { type: command.type, key, data: command.data, context: command.context });
    const becomes = topic.owner === app ? 'queued' : 'sent';
    const wait = notBefore ?? putOffMs;
    const until = wait === undefined ? [null, null] : wait instanceof Date ? [wait, null] : [null, milliseconds(wait)];
    const job = (state: string, sequence: number | null) => [id, topic.name, command.key, factName, app, PRIORITIES[priority], state, idempotencyKey ?? null, sequence, ...until];
    if (wait === undefined && idempotencyKey === undefined) {
      const { sequence } = await outbox.addEncoded(tx, { id, value, topic: topic.name, key });
      await tx.query(INSERT, job(becomes, sequence), 'factline.job_insert');
      return { job: id, repeated: false, notBefore: null };
    }
    const { rows } = await tx.query<{ not_before: Date | null }>(INSERT, job(wait === undefined ? becomes : 'waiting', null), 'factline.job_insert');
    const inserted = rows[0];
    if (!inserted) return this.#first(tx, topic.name, idempotencyKey!);
    if (wait !== undefined) {
      await tx.query(WAIT, [id, inserted.not_before, becomes, topic.name, key, value, traceOf(tx) ?? null]);
      tx.onCommit(() => this.#due.wake());
    } else {
      const { sequence } = await outbox.addEncoded(tx, { id, value, topic: topic.name, key });
      await tx.query('update factline.job set sequence = $2 where id = $1', [id, sequence], 'factline.job_sequence');
    }
    return { job: id, repeated: false, notBefore: inserted.not_before };
  }

  /**
   * Takes a job back with an open transaction, for what is decided there: the order is paid, so its reminder is not sent. `Jobs.cancel` is the same by itself.
   * @throws FactlineError `store.not-a-transaction`; `job.unknown` (not-found); `job.running`, `job.finished`, `job.elsewhere` (conflict). After `job.running` the transaction can only be rolled back.
   */
  async cancel(tx: Tx, job: string): Promise<void> {
    assertTx(tx);
    await cancelJob(tx, job);
  }

  /**
   * Sends a command at each time of a rule from the commit on, in whichever process of the app runs then; each time once. Call it at each start of the app, with the same name:
   * when the next time is lies in the database, and only another rule changes it. A name that no process registers any more waits.
   * @throws FactlineError `store.not-a-transaction`; `command.schedule` (configuration).
   */
  async schedule(tx: Tx, name: string, rule: ScheduleOptions, factory: CommandFactory): Promise<void> {
    assertTx(tx);
    await this.#schedules.keep(tx, name, rule, factory);
    tx.onCommit(() => this.#due.wake());
  }

  /** Ends a schedule. @returns whether there was one. */
  async unschedule(tx: Tx, name: string): Promise<boolean> {
    assertTx(tx);
    return this.#schedules.end(tx, name);
  }

  /** @returns how long it is put off, or the first job of its idempotency key: what was sent before is not refused now. */
  async #admit(tx: Tx, queue: string, priority: Priority, idempotencyKey: string | undefined): Promise<number | SentCommand | undefined> {
    try {
      return await this.#backlogs.admit(tx, queue, priority === 'low');
    } catch (error) {
      if (!(error instanceof FactlineError && error.code === 'command.backlog') || idempotencyKey === undefined) throw error;
      return await this.#first(tx, queue, idempotencyKey).catch(() => Promise.reject(error));
    }
  }

  /** The insert waited for whoever holds the key: its row is committed, unless retention took it meanwhile or this transaction looks at an older moment. */
  async #first(tx: Tx, queue: string, idempotencyKey: string): Promise<SentCommand> {
    const { rows } = await tx.query<{ id: string; not_before: Date | null }>('select id, not_before from factline.job where queue = $1 and idempotency_key = $2', [queue, idempotencyKey]);
    if (rows[0]) return { job: rows[0].id, repeated: true, notBefore: rows[0].not_before };
    throw new FactlineError({ code: 'command.in-progress', kind: 'conflict', retry: true, message: 'Somebody else sends a command with this idempotency key.', advice: 'Run the transaction again.' });
  }
}

function checkIdempotencyKey(key: string): void {
  if (key !== '' && key.length <= IDEMPOTENCY_KEY_CHARACTERS && !key.includes('\0')) return;
  throw new FactlineError({
    code: 'command.idempotency-key',
    kind: 'invalid',
    message: `An idempotency key has 1 to ${IDEMPOTENCY_KEY_CHARACTERS} characters.`,
    advice: 'Take the id of the fact or request that asks for it.',
  });
}
