import { type DeadLetter, type DeadLetterFilter, type PurgeFilter, type ReadLetter, type RequeueCare } from 'factline/consumer';
import { FactDecoder, type SelectedFact, type WriterSchemas, checkSelected } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Store } from 'factline/store';
import { differences, readEdit } from './edits.js';
import { GIVEN_UP, giveUpOf } from './giving-up.js';
import { Inbox } from './inbox.js';

export interface RedriveOptions extends RequeueCare {
  /** Who asks for it. */
  readonly by: string;
}

/** A re-drive that was asked for. The app does it; who asked may look on. */
export interface Redrive {
  readonly id: string;
  readonly subscription: string;
  /** `stopped`: too many keys failed again, the others were left alone. */
  readonly state: 'running' | 'done' | 'stopped' | 'cancelled';
  /** Why it was stopped. */
  readonly outcome: string | null;
  readonly keys: number;
  readonly tried: number;
  readonly failed: number;
  readonly facts: number;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

const REDRIVE = `id, subscription, state, outcome, keys, tried, failed, facts::double precision as facts, requested_by as "requestedBy", created_at as "createdAt", finished_at as "finishedAt"`;

/**
 * The dead letters of a subscription of reactions, for the people who repair them; works beside the app, or without it: what is to be handled again is written down, and
 * handled by the app (`Redriver`), because its handlers are there.
 */
export class ReactionDeadLetters {
  readonly #inbox: Inbox;

  constructor(
    readonly name: string,
    private readonly store: Store,
    private readonly log: FactLog,
    private readonly writers: WriterSchemas,
  ) {
    this.#inbox = new Inbox(name);
  }

  /** Those of the meant keys, by place, at most 1,000 of them. @throws FactlineError `dead-letters.filter` (invalid). */
  list(filter: DeadLetterFilter): Promise<{ letters: DeadLetter[]; keys: number; facts: number }> {
    return this.#inbox.deadLetters.list(this.store, filter);
  }

  /** The facts of one key, in order. */
  async read(key: string): Promise<ReadLetter[]> {
    const decoder = new FactDecoder(await this.#selections(), this.writers);
    const read: ReadLetter[] = [];
    for (const each of await this.#inbox.deadLetters.read(this.store, key, this.log, decoder)) read.push(each.withEdit((await readEdit(this.store, this.name, each.letter))?.data));
    return read;
  }

  /**
   * Asks the app to handle the waiting facts of the meant keys again, in order, key by key. Which keys is decided now; facts that are parked behind them until then go with them.
   * @throws FactlineError `dead-letters.filter` (invalid), `dead-letters.running` (conflict): one at a time.
   */
  async requeue(filter: DeadLetterFilter, { canary = 1, rate, stopAt = 0.1, by }: RedriveOptions): Promise<Redrive> {
    return this.store.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`factline.redrive.${this.name}`]);
      const { rows: running } = await tx.query<{ id: string; by: string }>("select id, requested_by as by from factline.redrive where subscription = $1 and state = 'running'", [this.name]);
      if (running[0]) throw alreadyRunning(running[0].id, running[0].by);
      const keys = await this.#inbox.deadLetters.keys(tx, filter);
      const { rows } = await tx.query<Redrive>(`insert into factline.redrive (subscription, canary, rate, stop_at, requested_by, keys) values ($1, $2, $3, $4, $5, $6) returning ${REDRIVE}`, [this.name, canary, rate ?? null, stopAt, by, keys.length]);
      await tx.query('insert into factline.redrive_key (redrive, nth, topic, partition, key) select $1, n, topic, partition, key from unnest($2::text[], $3::integer[], $4::text[]) with ordinality as k (topic, partition, key, n)', [
        rows[0]!.id, keys.map(({ topic }) => topic), keys.map(({ partition }) => partition), keys.map(({ key }) => key),
      ]);
      return rows[0]!;
    });
  }

  async redrive(id: string): Promise<Redrive | undefined> {
    return (await this.store.query<Redrive>(`select ${REDRIVE} from factline.redrive where id = $1 and subscription = $2`, [id, this.name])).rows[0];
  }

  /** What has been handled stays handled; the other keys are left as they are. @returns whether it was running. */
  async cancel(id: string): Promise<boolean> {
    const { rowCount } = await this.store.query("update factline.redrive set state = 'cancelled', finished_at = clock_timestamp() where id = $1 and subscription = $2 and state = 'running'", [id, this.name]);
    return rowCount === 1;
  }

  /**
   * Puts other data in the place of a waiting fact, for this subscription alone: the log keeps the original. It is handled when its key is requeued.
   * @throws FactlineError `dead-letters.unknown` (not-found), `dead-letters.given-up` (conflict), `dead-letters.not-selected`, `fact.invalid` with `details.path` (invalid).
   */
  async edit(place: Pick<DeadLetter, 'key' | 'offset'>, change: { fact?: string; data: unknown }, why: { reason: string; by: string }): Promise<{ path: string; from: unknown; to: unknown }[]> {
    const found = (await this.read(place.key)).find(({ letter }) => letter.offset === place.offset);
    if (!found) throw new FactlineError({ code: 'dead-letters.unknown', kind: 'not-found', message: `No fact of '${place.key}' waits at offset ${place.offset}.`, advice: 'List what waits: factline dead-letters get.' });
    if (found.letter.code === GIVEN_UP) throw new FactlineError({ code: 'dead-letters.given-up', kind: 'conflict', message: `The fact at offset ${place.offset} was given up: it is never handled, edited or not.`, advice: 'Edit before giving up; what was given up, why and by whom is kept.' });
    const name = change.fact ?? found.fact?.name;
    const selection = (await this.#selections()).find(({ factName }) => factName === name);
    if (!selection) throw new FactlineError({ code: 'dead-letters.not-selected', kind: 'invalid', message: `${name ?? 'A fact that cannot be read'} is not a fact that '${this.name}' handles.`, advice: 'Say which one it is to be: --fact <name>.' });
    const data = checkSelected(selection, change.data);
    const difference = differences(found.fact?.data ?? null, data);
    await this.store.query('insert into factline.edited_fact (subscription, topic, partition, record_offset, key, fact, original, data, difference, reason, edited_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)', [
      this.name, found.letter.topic, found.letter.partition, place.offset, place.key, name, found.fact ? JSON.stringify(found.fact.data) : null, JSON.stringify(data), JSON.stringify(difference), why.reason, why.by,
    ]);
    return difference;
  }

  /** Gives waiting facts of the meant keys up, or the one at an offset: they are never handled. What, why and by whom is kept. */
  purge(filter: PurgeFilter, why: { reason: string; by: string }): Promise<{ keys: number; facts: number }> {
    return this.#inbox.deadLetters.purge(this.store, filter, async (tx, { topic, partition, key }, letters, all) => {
      await tx.query('insert into factline.given_up_fact (subscription, topic, partition, key, offsets, reason, given_up_by) values ($1, $2, $3, $4, $5, $6, $7)', [this.name, topic, partition, key, letters.map(({ offset }) => offset), why.reason, why.by]);
      await giveUpOf(tx, this.#inbox, all, new Set(letters));
    });
  }

  async #selections(): Promise<SelectedFact[]> {
    const { rows } = await this.store.query<{ selections: SelectedFact[] }>('select selections from factline.reactions where name = $1', [this.name]);
    return rows[0]?.selections ?? [];
  }
}

function alreadyRunning(id: string, by: string): FactlineError {
  return new FactlineError({ code: 'dead-letters.running', kind: 'conflict', message: `Re-drive ${id}, asked for by ${by}, is under way already.`, advice: 'Wait for its end, or cancel it.' });
}
