import { type Checkpoint, advanceCheckpoint } from 'factline/consumer';
import { FactlineError, type Logger } from 'factline/kernel';
import type { LogRecord } from 'factline/log';
import type { Tx } from 'factline/store';
import { itemOf } from './item.js';
import { type Item, KeyState } from './key-state.js';
import { KEYS_REMEMBERED } from './limits.js';
import type { LaneParts } from './lane-parts.js';
import { handle } from './run-handler.js';
import { traced } from './traced.js';
import { verdictOf } from './verdict.js';

/** What is handled in one transaction. */
export interface Unit {
  /** The keys that the worker holds. */
  keys: KeyState[];
  /** Facts that are tried together; of a failure: those that it is about. */
  items: Item[];
}

/** Takes further keys for a handler of many facts. */
type Take = (suits: (key: KeyState) => boolean, most: number) => KeyState[];
type Finish = (item: Item) => void;

/** Neither done nor not done by us: the inbox knows. */
const ASK_INBOX: ReadonlySet<string> = new Set(['reaction.overtaken', 'store.outcome-unknown']);

/** The keys of one partition and what is done with their facts, each step one transaction. Who works on which key when is not decided here. */
export class KeyWork {
  readonly #keys = new Map<string, KeyState>();
  readonly #dirty = new Set<KeyState>();
  readonly #place: string;
  #blocked: Set<string> | undefined;

  constructor(
    private readonly parts: LaneParts,
    private readonly at: Pick<Checkpoint, 'topic' | 'partition' | 'epoch'>,
    private readonly log: Logger,
    private readonly stopped: AbortSignal,
  ) {
    this.#place = `${at.topic}[${at.partition}]`;
  }

  get keys(): Iterable<KeyState> {
    return this.#keys.values();
  }

  /** A checkpoint may not go beyond this: behind it lies what a key passed over while a handler holds its row of the inbox. */
  get unsafeFrom(): number {
    let from = Infinity;
    for (const key of this.#dirty) if (key.busy) from = Math.min(from, key.unsafeFrom);
    return from;
  }

  /** Sorts records by key. Facts that need no effect are finished at once where nothing of their key waits. */
  async admit(records: readonly LogRecord[]): Promise<{ items: Item[]; keys: Set<KeyState> }> {
    const { decoder, store, inbox, reactions } = this.parts;
    const unprepared = decoder.unprepared(records.map(({ value }) => value));
    if (unprepared.length > 0) await decoder.prepare(unprepared);
    const blocked = (this.#blocked ??= new Set(await inbox.deadLetters.blockedKeys(store, this.at)));
    const names = records.map(({ key }) => key.toString('utf8'));
    await this.#learn(names);
    const items: Item[] = [];
    const keys = new Set<KeyState>();
    for (const [nth, record] of records.entries()) {
      const key = this.#keys.get(names[nth]!)!;
      const item = itemOf(record, key, decoder, reactions);
      items.push(item);
      if (key.waiting.length === 0 && !key.busy && !blocked.has(key.key) && this.#needsNothing(key, item)) continue;
      key.waiting.push(item);
      keys.add(key);
    }
    return { items, keys };
  }

  /**
   * Handles the next fact of the unit's first key, and others with it when its handler takes many; facts before it that need no effect are finished on the way.
   * @returns false when there was none. @throws what the handler threw, with the unit reduced to what failed.
   */
  async handleNext(unit: Unit, take: Take, finish: Finish): Promise<boolean> {
    const key = unit.keys[0]!;
    let asked = false;
    for (let item = key.waiting[0]; item && !this.stopped.aborted; item = key.waiting[0]) {
      unit.items = [item];
      if (this.#blocked?.has(key.key)) {
        if (await this.#parkBehind(key, item)) this.#done(key, finish, 1);
        continue;
      }
      if (this.#needsNothing(key, item)) {
        this.#done(key, finish, 1);
        continue;
      }
      const verdict = this.#judge(key, item);
      if (verdict instanceof FactlineError) throw verdict;
      if (!asked && key.attempts === 0) this.#gather(unit, item, take); // after a failure alone: those that fail must not hold up the others, and those gathered before may be done
      await this.parts.reactions.pace?.(unit.items.length, this.stopped);
      if (this.stopped.aborted) return false;
      try {
        await this.#handle(unit, unit.items, finish);
        return true;
      } catch (error) {
        if (asked || !(error instanceof FactlineError && ASK_INBOX.has(error.code))) throw error; // an inbox that was set back answers the same for ever
        asked = true;
        await this.#reload(unit.keys);
        this.parts.counts.overtaken++;
      }
    }
    return false;
  }

  /** A fact that failed for good becomes a dead letter, and its key is blocked: in one transaction, and only by the owner of the partition. */
  async park(key: KeyState, item: Item, error: FactlineError): Promise<void> {
    const { store, inbox } = this.parts;
    const { done } = key;
    const parking = store.transaction(async (tx) => {
      await this.#own(tx);
      if (key.dirty) await inbox.pass(tx, this.at.topic, [{ key: key.key, ...done }]); // whoever requeues begins where this ends
      await inbox.deadLetters.park(tx, this.at, [{ record: item.record, key: key.key, error, seen: key.seen }]);
    });
    await parking.catch((failed: unknown) => {
      if (failed instanceof FactlineError && failed.code === 'store.outcome-unknown') this.#blocked!.add(key.key); // perhaps it is: the next attempt asks, or a fact would be handled that is a dead letter
      throw failed;
    });
    key.settle(done);
    this.#dirty.delete(key);
    key.waiting.shift();
    this.#blocked!.add(key.key);
    this.log.error({ lane: this.#place, offset: item.record.offset, key: key.key, code: error.code, error: error.message }, 'a fact failed for good: it is a dead letter, and its key is blocked');
  }

  /** Moves the checkpoint, with keys whose last facts needed no effect. @returns whether this process still owns the partition. */
  async commit(from: Checkpoint, to: Checkpoint): Promise<boolean> {
    const { store, inbox } = this.parts;
    const passed = [...this.#dirty].filter(({ busy }) => !busy).map((key) => ({ state: key, key: key.key, ...key.done }));
    const values = [from.topic, from.partition, from.nextOffset, from.generation, from.epoch, to.nextOffset, to.lastOffset, to.lastFactId];
    const advance = advanceCheckpoint(inbox.schema);
    if (passed.length === 0) return (await store.query(advance, values)).rowCount === 1;
    const moved = await store.transaction(async (tx) => {
      if ((await tx.query(advance, values)).rowCount !== 1) return false;
      await inbox.pass(tx, from.topic, passed);
      return true;
    });
    if (moved) for (const { state, sequence, factId } of passed) this.#settle(state, { sequence, factId });
    return moved;
  }

  #settle(key: KeyState, done: KeyState['done']): void {
    key.settle(done);
    if (!key.dirty) this.#dirty.delete(key);
  }

  #judge(key: KeyState, item: Item) {
    return key.judge(item, this.#place, this.parts.reactions.from === 'beginning');
  }

  #needsNothing(key: KeyState, item: Item): boolean {
    const verdict = this.#judge(key, item);
    if (verdict === 'pass') {
      key.pass(item);
      this.#dirty.add(key);
    } else if (verdict === 'duplicate') {
      this.parts.counts.duplicates++;
    } else {
      return false;
    }
    item.finished = true;
    return true;
  }

  #done(key: KeyState, finish: Finish, items: number): void {
    for (const item of key.waiting.splice(0, items)) finish(item);
  }

  /** Of a handler of many facts: the facts of this key that follow, and those of other keys that wait for the same handler. */
  #gather(unit: Unit, { handler }: Item, take: Take): void {
    const batch = handler!.facts > 1;
    const most = batch ? handler!.facts : this.parts.reactions.together;
    if (most === 1) return;
    const joins = ({ waiting: [item] }: KeyState) => (batch ? item?.handler === handler : item?.handler?.facts === 1);
    unit.keys.push(...take((key) => joins(key) && key.attempts === 0 && !this.#blocked!.has(key.key) && this.#judge(key, key.waiting[0]!) === 'handle', most - 1));
    if (!batch) unit.items = unit.keys.map(({ waiting: [item] }) => item!);
    else unit.items = unit.keys.flatMap((key) => this.#run(key, handler, most)).toSorted((one, other) => one.record.offset - other.record.offset).slice(0, most);
  }

  #run({ waiting, seen }: KeyState, handler: Item['handler'], most: number): Item[] {
    const other = waiting.findIndex((item, nth) => nth > 0 && (nth >= most || item.handler !== handler || item.error !== undefined || item.sequence !== waiting[0]!.sequence + nth));
    return seen < waiting[0]!.sequence ? waiting.slice(0, other === -1 ? waiting.length : other) : [];
  }

  /** One transaction for all of them; when that fails for what may be one of them, for the halves. */
  async #handle(unit: Unit, items: Item[], finish: Finish): Promise<void> {
    const counts = new Map<KeyState, number>();
    for (const { key } of items) counts.set(key, (counts.get(key) ?? 0) + 1);
    try {
      await this.#transact(items, counts, unit.keys[0]!.attempts + 1);
    } catch (error) {
      const one = items.length === 1 || verdictOf(error, this.parts.reactions) === 'wait' || (error instanceof FactlineError && ASK_INBOX.has(error.code));
      if (!one) {
        const half = Math.ceil(items.length / 2);
        await this.#handle(unit, items.slice(0, half), finish);
        return this.#handle(unit, items.slice(half), finish);
      }
      const failed = items[0]!.key;
      unit.items = items;
      unit.keys = [failed, ...unit.keys.filter((key) => key !== failed)];
      throw error;
    }
    for (const [key, count] of counts) {
      const { sequence, factId } = key.waiting[count - 1]!;
      this.#settle(key, { sequence, factId });
      this.#done(key, finish, count);
    }
  }

  async #transact(items: readonly Item[], ends: ReadonlyMap<KeyState, number>, attempt: number): Promise<void> {
    const { store, inbox, reactions, counts, tracing } = this.parts;
    const steps = [...ends].map(([key, count]) => {
      const { sequence, factId } = key.waiting[count - 1]!;
      return { key: key.key, expected: key.stored.sequence, sequence, factId };
    });
    const calls = items[0]!.handler!.facts > 1 ? [{ handler: items[0]!.handler!, facts: items.map(({ fact }) => fact!) }] : items.map(({ handler, fact }) => ({ handler: handler!, facts: [fact!] }));
    const { topic, partition } = this.at;
    const unit = { subscription: reactions.name, topic, partition, records: items.map(({ record }) => record), redriven: false };
    await traced(tracing, unit, (traceparent) => store.transaction((tx) => handle(tx, { reactions, inbox, topic, calls, steps, attempt, redriven: false, traceparent })));
    counts.handled += items.length;
    counts.transactions++;
  }

  /** @returns false when the key is not blocked any more: then its facts are handled. */
  async #parkBehind(key: KeyState, item: Item): Promise<boolean> {
    const { store, inbox } = this.parts;
    const { record } = item;
    const parked = await store.transaction(async (tx) => {
      await this.#own(tx);
      const [blocked, done] = await Promise.all([inbox.deadLetters.holdBlocked(tx, this.at, [key.key]), inbox.load(tx, this.at.topic, [key.key])]);
      if (!blocked.has(key.key)) return false;
      this.#settle(key, done.get(key.key) ?? { sequence: 0, factId: null });
      if (this.#judge(key, item) === 'duplicate') return true; // read again after a crash, and done before the key was blocked: it waits for nothing
      await inbox.deadLetters.park(tx, this.at, [{ record, key: key.key }]);
      return true;
    });
    if (parked) return true;
    this.#blocked!.delete(key.key);
    await this.#reload([key]);
    return false;
  }

  async #own(tx: Tx): Promise<void> {
    if (await this.parts.inbox.owns(tx, this.at)) return;
    throw new FactlineError({ code: 'consumer.fenced', kind: 'fenced', message: `Another process owns ${this.#place} now.` });
  }

  async #reload(keys: readonly KeyState[]): Promise<void> {
    const done = await this.parts.inbox.load(this.parts.store, this.at.topic, keys.map(({ key }) => key));
    for (const key of keys) this.#settle(key, done.get(key.key) ?? { sequence: 0, factId: null });
  }

  async #learn(names: readonly string[]): Promise<void> {
    const unknown = [...new Set(names)].filter((name) => !this.#keys.has(name));
    if (unknown.length === 0) return;
    if (this.#keys.size + unknown.length > KEYS_REMEMBERED) this.#forgetIdle(names);
    const done = await this.parts.inbox.load(this.parts.store, this.at.topic, unknown);
    for (const name of unknown) this.#keys.set(name, new KeyState(name, done.get(name) ?? { sequence: 0, factId: null }));
  }

  #forgetIdle(names: readonly string[]): void {
    const wanted = new Set(names);
    for (const [name, key] of this.#keys) if (key.idle && !wanted.has(name)) this.#keys.delete(name);
  }
}
