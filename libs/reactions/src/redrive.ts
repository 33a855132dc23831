import { type DeadLetter, type KeyPlace, Pauses, type Records, inSequence, readRecords, recordOf } from 'factline/consumer';
import { FactlineError, type Logger, Signal, backoffMs, messageOf, pause, silentLogger } from 'factline/kernel';
import type { FactDecoder } from 'factline/contracts';
import type { FactLog } from 'factline/log';
import type { Store, Tx } from 'factline/store';
import { type Tracing, noTracing } from 'factline/tracing';
import { editedItem, readEdit } from './edits.js';
import { GIVEN_UP, giveUp } from './giving-up.js';
import type { Inbox } from './inbox.js';
import { itemOf } from './item.js';
import { KeyState } from './key-state.js';
import { REDRIVE_LOOK_MS } from './limits.js';
import type { Reactions } from './reaction.js';
import { handle } from './run-handler.js';
import { traced } from './traced.js';
import { asFactlineError, verdictOf } from './verdict.js';

export interface RedriveParts {
  readonly reactions: Reactions;
  readonly inbox: Inbox;
  readonly store: Store;
  readonly log: FactLog;
  readonly decoder: FactDecoder;
  readonly logger?: Logger;
  /** Records a span for each fact of a sampled trace. Default: nobody does. */
  readonly tracing?: Tracing;
}

interface Run {
  id: string;
  canary: number;
  rate: number | null;
  stop_at: number;
  tried: number;
  failed: number;
  keys: number;
  wait_ms: number;
}

interface Next extends KeyPlace {
  redrive: string;
  nth: number;
}

/**
 * Tries dead letters of reactions again, inside the app, for its handlers are there. What is to be tried was written down when it was asked for; each fact is one
 * transaction that runs its handler, moves the inbox, deletes the letter and counts. Killed at any point, any process of the app goes on at the next fact; two at once take turns.
 */
export class Redriver {
  readonly #parts: RedriveParts;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #wake = new Signal();
  /** Of the key that was looked at last: while it waits for its turn nothing is read twice. */
  #known: Records | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RedriveParts) {
    this.#parts = parts;
    this.#log = parts.logger ?? silentLogger;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** Looks now rather than within a second. */
  wake(): void {
    this.#wake.notify();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let attempt = 1; !signal.aborted; ) {
      try {
        const waitMs = await this.step();
        attempt = 1;
        if (waitMs > 0) await this.#wake.wait(waitMs, signal);
      } catch (error) {
        this.#log.warn({ subscription: this.#parts.reactions.name, error: messageOf(error) }, 'dead letters could not be tried again now; trying later');
        await pause(backoffMs(attempt++, this.#parts.reactions.retry), signal);
      }
    }
  }

  /** One fact. @returns how long there is nothing to do. @throws what is away. */
  async step(): Promise<number> {
    const { store, inbox, reactions } = this.#parts;
    if (await new Pauses(store).of(reactions.name)) return REDRIVE_LOOK_MS;
    const key = await this.#nextKey();
    if (!key) return this.#finish();
    const known = (this.#known = await this.#read(needed((await inbox.deadLetters.list(store, { key: key.key })).letters), this.#known));
    let tried: DeadLetter | undefined;
    await this.#parts.reactions.pace?.(1, this.#abort.signal);
    try {
      return await store.transaction(async (tx) => {
        const run = await this.#hold(tx);
        if (!run) return REDRIVE_LOOK_MS;
        if (!(await isOpen(tx, run, key))) return 0;
        if (run.wait_ms > 0) return Math.min(run.wait_ms, REDRIVE_LOOK_MS);
        const letters = await inbox.deadLetters.hold(tx, key);
        const records = await this.#read(needed(letters), known); // one that was parked a moment ago is not known
        tried = inSequence(letters, records)[0];
        if (tried) await this.#try(tx, key, tried, records);
        await this.#count(tx, run, key, tried ? 1 : 0, letters.length <= 1);
        return 0;
      });
    } catch (error) {
      if (!tried || verdictOf(error, this.#parts.reactions) === 'wait' || (error instanceof FactlineError && error.kind === 'fenced')) throw error;
      await this.#failed(key, tried, asFactlineError(error, this.#parts.reactions.name));
      return 0;
    }
  }

  async #try(tx: Tx, key: KeyPlace, letter: DeadLetter, records: Records): Promise<void> {
    const { inbox, reactions, decoder, tracing = noTracing } = this.#parts;
    if (letter.code === GIVEN_UP) return giveUp(tx, inbox, letter);
    const record = recordOf(letter, records);
    const done = (await inbox.load(tx, key.topic, [key.key])).get(key.key) ?? { sequence: 0, factId: null };
    const state = new KeyState(key.key, done);
    const edit = await readEdit(tx, reactions.name, letter);
    const item = edit ? editedItem(edit, record, state, decoder, reactions) : itemOf(record, state, decoder, reactions);
    const verdict = state.judge(item, `${key.topic}[${key.partition}]`, reactions.from === 'beginning');
    if (verdict instanceof FactlineError) throw verdict;
    const step = { key: key.key, expected: done.sequence, sequence: item.sequence, factId: item.factId };
    if (verdict === 'pass') await inbox.pass(tx, key.topic, [step]);
    if (verdict === 'handle') {
      const { topic, partition } = key;
      const calls = [{ handler: item.handler!, facts: [item.fact!] }];
      await traced(tracing, { subscription: reactions.name, topic, partition, records: [record], redriven: true }, (traceparent) => handle(tx, { reactions, inbox, topic, calls, steps: [step], attempt: 1, redriven: true, traceparent }));
    }
    await inbox.deadLetters.remove(tx, [letter]);
  }

  async #read(letters: readonly DeadLetter[], known?: Records): Promise<Records> {
    const { log, decoder } = this.#parts;
    const records = known && letters.every((letter) => known.of(letter)) ? known : await readRecords(log, letters);
    const unprepared = decoder.unprepared([...records.all()].map(({ value }) => value));
    if (unprepared.length > 0) await decoder.prepare(unprepared);
    return records;
  }

  /** The run is held while one of its facts is tried: two processes take turns, and the rate is one for both. */
  async #hold(tx: Tx): Promise<Run | undefined> {
    const { rows } = await tx.query<Run>(
      `select id, canary, rate, stop_at, tried, failed, keys, greatest(0, extract(epoch from next_at - clock_timestamp()) * 1000)::double precision as wait_ms
       from factline.redrive where subscription = $1 and state = 'running' order by id limit 1 for update skip locked`,
      [this.#parts.reactions.name],
    );
    return rows[0];
  }

  async #nextKey(): Promise<Next | undefined> {
    const { rows } = await this.#parts.store.query<Next>(
      `select redrive, nth, topic, partition, key from factline.redrive_key
       where state is null and redrive = (select min(id) from factline.redrive where subscription = $1 and state = 'running') order by nth limit 1`,
      [this.#parts.reactions.name],
    );
    return rows[0];
  }

  async #count(tx: Tx, { id, rate }: Run, { nth }: Next, facts: number, keyDone: boolean): Promise<void> {
    await tx.query(`update factline.redrive_key set facts = facts + $3, state = case when $4 then 'applied' end, tried_at = clock_timestamp() where redrive = $1 and nth = $2`, [id, nth, facts, keyDone]);
    await tx.query(
      `update factline.redrive set facts = facts + $2, tried = tried + $3, next_at = case when $3 = 1 and $4::double precision > 0 then greatest(next_at, clock_timestamp() - interval '1 second') + interval '1 second' / $4 else next_at end where id = $1`,
      [id, facts, keyDone ? 1 : 0, rate],
    );
  }

  async #failed(key: Next, letter: DeadLetter, error: FactlineError): Promise<void> {
    const { store, inbox, reactions } = this.#parts;
    this.#log.warn({ subscription: reactions.name, key: letter.key, code: error.code, error: error.message }, 'a dead letter failed again');
    await store.transaction(async (tx) => {
      const run = await this.#hold(tx);
      if (!run || !(await isOpen(tx, run, key))) return;
      await inbox.deadLetters.failed(tx, letter, error);
      await tx.query("update factline.redrive_key set state = 'blocked', code = $3, tried_at = clock_timestamp() where redrive = $1 and nth = $2", [run.id, key.nth, error.code]);
      const [tried, failed] = [run.tried + 1, run.failed + 1];
      const stops = tried < run.keys && failed > (tried <= run.canary ? 0 : run.stop_at * tried);
      await tx.query(
        `update factline.redrive set tried = $2, failed = $3, state = case when $4 then 'stopped' else state end, finished_at = case when $4 then clock_timestamp() end, outcome = case when $4 then $5 end where id = $1`,
        [run.id, tried, failed, stops, `${failed} of the first ${tried} keys are blocked still. The last: '${letter.key}', ${error.code}`],
      );
    });
  }

  async #finish(): Promise<number> {
    const { rowCount } = await this.#parts.store.query(
      `update factline.redrive r set state = 'done', finished_at = clock_timestamp() where subscription = $1 and state = 'running'
         and not exists (select from factline.redrive_key k where k.redrive = r.id and k.state is null)`,
      [this.#parts.reactions.name],
    );
    return rowCount > 0 ? 0 : REDRIVE_LOOK_MS;
  }
}

/** Whether the key is this run's and has not been tried: it was chosen before the run was held, and another process may have done it meanwhile. */
async function isOpen(tx: Tx, { id }: Run, { redrive, nth }: Next): Promise<boolean> {
  const { rowCount } = await tx.query('select from factline.redrive_key where redrive = $1 and nth = $2 and state is null', [id, nth]);
  return id === redrive && rowCount === 1;
}

/** Of the letters of a key those to read: the next, and those whose number only the log knows. A key may have many, and one is handled at a time. */
function needed(letters: readonly DeadLetter[]): DeadLetter[] {
  const [next] = inSequence(letters.filter(({ sequence }) => sequence !== null));
  return [...(next ? [next] : []), ...letters.filter(({ sequence }) => sequence === null)];
}
