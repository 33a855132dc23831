import type { Command } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { FactOutbox } from 'factline/outbox';
import { type Tx, assertTx } from 'factline/store';
import { IDEMPOTENCY_KEY_CHARACTERS } from './limits.js';
import { wireKey } from './wire-key.js';

export interface SendOptions {
  /** A second send of the queue with the same key sends nothing and answers the first job. Kept as long as the job. */
  idempotencyKey?: string;
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
}

export interface CommandsOptions {
  /** The app that sends: its name is part of the record's key. */
  app: string;
  outbox: FactOutbox;
}

const PRIORITIES: Readonly<Record<Priority, number>> = { low: -1, normal: 0, high: 1 };

const INSERT = `insert into factline.job (id, queue, key, command, sender, priority, state, idempotency_key, sequence, closed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $7 = 'sent' then clock_timestamp() end)
  on conflict (queue, idempotency_key) where idempotency_key is not null do nothing`;

/**
 * Sends commands, each in the transaction that decides it.
 *
 * Promised: a command is sent if and only if its transaction commits; commands of one app for one key are handled in the order of the commits; of several sends with one
 * idempotency key one is sent, whoever sends at the same time. Not promised: order between keys, or between apps.
 */
export class Commands {
  constructor(private readonly options: CommandsOptions) {}

  /**
   * Sends a command in an open transaction.
   * @throws FactlineError `store.not-a-transaction`; `outbox.full`; `fact.invalid` with `details.path`; `fact.too-large`; `command.idempotency-key`; `command.in-progress` (conflict, worth a retry).
   */
  async send(tx: Tx, command: Command, { idempotencyKey, priority = 'normal' }: SendOptions = {}): Promise<SentCommand> {
    assertTx(tx);
    const { app, outbox } = this.options;
    const { topic, factName } = command.type;
    const key = wireKey(app, command.key);
    const { id, value } = outbox.encode(tx, { type: command.type, key, data: command.data, context: command.context });
    const job = [id, topic.name, command.key, factName, app, PRIORITIES[priority], topic.owner === app ? 'queued' : 'sent'];
    if (idempotencyKey === undefined) {
      const { sequence } = await outbox.addEncoded(tx, { id, value, topic: topic.name, key });
      await tx.query(INSERT, [...job, null, sequence], 'factline.job_insert');
      return { job: id, repeated: false };
    }
    checkIdempotencyKey(idempotencyKey);
    const { rowCount } = await tx.query(INSERT, [...job, idempotencyKey, null], 'factline.job_insert');
    if (rowCount === 0) return { job: await this.#first(tx, topic.name, idempotencyKey), repeated: true };
    const { sequence } = await outbox.addEncoded(tx, { id, value, topic: topic.name, key });
    await tx.query('update factline.job set sequence = $2 where id = $1', [id, sequence], 'factline.job_sequence');
    return { job: id, repeated: false };
  }

  /** The insert waited for whoever holds the key: its row is committed, unless retention took it meanwhile or this transaction looks at an older moment. */
  async #first(tx: Tx, queue: string, idempotencyKey: string): Promise<string> {
    const { rows } = await tx.query<{ id: string }>('select id from factline.job where queue = $1 and idempotency_key = $2', [queue, idempotencyKey]);
    if (rows[0]) return rows[0].id;
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
