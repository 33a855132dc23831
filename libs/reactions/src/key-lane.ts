import type { Checkpoint, LaneOpening, PartitionLane, PartitionStatus, Trouble } from 'factline/consumer';
import { type FactlineError, Signal, backoffMs, pause } from 'factline/kernel';
import type { RecordBatch } from 'factline/log';
import { Backlog } from './backlog.js';
import type { Item, KeyState } from './key-state.js';
import { CHECKPOINT_INTERVAL_MS, RETRY_MAX_MS, WINDOW_FACTS } from './limits.js';
import type { LaneParts } from './lane-parts.js';
import { KeyWork, type Unit } from './key-work.js';
import { asFactlineError, verdictOf } from './verdict.js';
import { Window } from './window.js';

/**
 * One partition of a subscription of reactions: its facts are taken into a window and sorted by key; each key goes on by itself; the checkpoint follows up to the first
 * fact that is not finished. What lies beyond it and is finished is known to the inbox, so a crash repeats reading and no effect.
 */
export class KeyLane implements PartitionLane {
  readonly name: string;
  checkpoint: Checkpoint;
  readonly #opening: LaneOpening;
  readonly #parts: LaneParts;
  readonly #backlog: Backlog;
  readonly #window: Window;
  readonly #work: KeyWork;
  readonly #wake = new Signal();
  readonly #progress = new Signal();
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #loops: Promise<unknown> = Promise.resolve();
  #endOffset: number;
  #lastCompletedMs: number;
  #waitingSinceMs = 0;
  #halted: Trouble | undefined;
  #troubles = new Map<object, Trouble>();
  #fenced = false;
  #held = false;

  constructor(opening: LaneOpening, parts: LaneParts) {
    const { checkpoint, endOffset, now } = opening;
    this.name = `${checkpoint.topic}[${checkpoint.partition}]`;
    this.checkpoint = checkpoint;
    this.#opening = opening;
    this.#parts = parts;
    this.#endOffset = endOffset;
    this.#lastCompletedMs = now();
    this.#window = new Window(checkpoint.nextOffset);
    this.#backlog = new Backlog(checkpoint.nextOffset, opening.events);
    this.#work = new KeyWork(parts, checkpoint, opening.log, this.#abort.signal);
  }

  start(): void {
    this.#loops = Promise.all([this.#intake(), this.#checkpoints()]);
  }

  enqueue(batch: RecordBatch): void {
    if (this.#halted || this.#abort.signal.aborted) return;
    this.#endOffset = batch.endOffset;
    if (!this.#waits) this.#waitingSinceMs = this.#opening.now();
    this.#backlog.add(batch);
    this.#wake.notify();
  }

  /** What is under way ends; its end is in the checkpoint, unless the database does not take it. */
  async stop(): Promise<void> {
    this.#end();
    await Promise.all([this.#loops, ...this.#running]);
    if (!this.#fenced) await this.#commit().catch((error: unknown) => this.#tell(this, error, 'the last position was not written; it is read again'));
    this.#backlog.clear();
  }

  park(): Promise<void> {
    return this.stop();
  }

  /** There is one generation of reactions, so nothing is ever swapped under a lane. */
  restart(): boolean {
    return false;
  }

  hold(): void {
    this.#parts.scheduler.hold();
    if (this.#held) return;
    this.#held = true;
    this.#opening.events.pause();
  }

  release(): void {
    this.#parts.scheduler.release();
    if (!this.#held) return;
    this.#held = false;
    this.#waitingSinceMs = this.#opening.now();
    if (!this.#backlog.full && !this.#halted) this.#opening.events.resume();
    this.#wake.notify();
  }

  halt(error: FactlineError): void {
    this.#halted = { code: error.code, reason: error.message, advice: error.advice, sinceMs: this.#opening.now() };
    this.#end();
    this.#backlog.clear();
    this.#opening.log.error({ lane: this.name, code: error.code, error: error.message, details: error.details }, 'the partition is halted');
    this.#opening.events.pause();
  }

  /** Nothing is begun any more, and what failed here fails no longer. */
  #end(): void {
    this.#abort.abort();
    this.#parts.scheduler.forget(this);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const key of this.#work.keys) this.#parts.breaker.forget(key);
  }

  get status(): PartitionStatus {
    const { topic, partition } = this.checkpoint;
    const { position } = this.#window;
    const trouble = this.#halted ?? this.#parts.trouble() ?? [...this.#troubles.values()][0];
    return {
      topic,
      partition,
      nextOffset: position,
      endOffset: Math.max(this.#endOffset, position),
      lag: Math.max(0, this.#endOffset - position),
      halted: this.#halted !== undefined,
      trouble,
      lastCompletedMs: this.#lastCompletedMs,
      waitingSinceMs: this.#waits && !trouble && !this.#held ? this.#waitingSinceMs : undefined, // what is in trouble says why it waits; a restart would not help
    };
  }

  get #waits(): boolean {
    return this.#window.size > 0 || !this.#backlog.empty;
  }

  /** The next facts of a key, until one has been handled. */
  work(key: KeyState, ended: () => void): void {
    const running = this.#next(key)
      .catch((defect: unknown) => this.halt(asFactlineError(defect, this.#parts.reactions.name)))
      .finally(() => {
        this.#running.delete(running);
        ended();
      });
    this.#running.add(running);
  }

  async #next(key: KeyState): Promise<void> {
    const unit: Unit = { keys: [key], items: [] };
    try {
      if (await this.#work.handleNext(unit, (wanted, most) => this.#parts.scheduler.take(this, wanted, most), (item) => this.#finish(item))) this.#parts.breaker.succeeded(key, unit.items.length);
      for (const each of unit.keys) this.#recovered(each);
    } catch (error) {
      await this.#failed(unit, error);
    }
    for (const each of unit.keys) {
      each.busy = false;
      if (this.#abort.signal.aborted) this.#parts.breaker.forget(each);
      else if (each.waiting.length > 0) this.#parts.scheduler.ready(this, each);
    }
  }

  #recovered(key: KeyState): void {
    key.attempts = key.unexplained = 0;
    this.#troubles.delete(key);
    this.#parts.breaker.forget(key);
  }

  /** The first key of a unit stands for it: facts handled together fail together until it is known which one fails. Keys whose facts are done already go on. */
  async #failed({ items }: Unit, thrown: unknown): Promise<void> {
    const item = items[0]!;
    const { key } = item;
    const keys = [...new Set(items.map((each) => each.key))];
    const error = asFactlineError(thrown, this.#parts.reactions.name);
    const { breaker, reactions } = this.#parts;
    for (const each of keys) each.attempts++;
    const verdict = verdictOf(thrown, reactions);
    if (verdict === 'park' || (verdict === 'retry' && ++key.unexplained >= reactions.retry.attempts)) {
      if (key.key === '') return this.halt(error);
      if (!breaker.mayPark(key, error)) return this.#tell(key, error, 'too many keys fail: nothing is parked, and one fact is tried now and then');
      try {
        await this.#work.park(key, item, error);
        this.#finish(item);
        return this.#recovered(key);
      } catch (again) {
        breaker.notParked();
        return this.#later(keys, asFactlineError(again, reactions.name));
      }
    }
    breaker.retries(key, error);
    this.#later(keys, error);
  }

  #later(keys: readonly KeyState[], error: FactlineError): void {
    const [first] = keys;
    if (this.#abort.signal.aborted) return;
    if (error.code === 'reaction.overtaken' || error.code === 'consumer.fenced') this.#opening.events.fenced();
    this.#tell(first!, error, 'handling failed; trying again');
    const { retry } = this.#parts.reactions;
    const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(first!.attempts, retry));
    for (const key of keys) key.scheduled = true;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const key of keys) {
        key.scheduled = false;
        this.#parts.scheduler.ready(this, key);
      }
    }, waitMs);
    this.#timers.add(timer);
  }

  #tell(about: object, thrown: unknown, what: string): void {
    const error = asFactlineError(thrown, this.#parts.reactions.name);
    const { now, log } = this.#opening;
    this.#troubles.set(about, { code: error.code, reason: error.message, advice: error.advice, sinceMs: this.#troubles.get(about)?.sinceMs ?? now() });
    log.warn({ lane: this.name, code: error.code, error: error.message }, what);
  }

  #finish(item: Item): void {
    item.finished = true;
    this.#lastCompletedMs = this.#opening.now();
    if (!this.#window.advance()) return;
    this.#progress.notify();
    this.#wake.notify();
  }

  /** Takes facts into the window as it has room, and gives their keys something to do. */
  async #intake(): Promise<void> {
    const { signal } = this.#abort;
    for (let attempt = 1; !signal.aborted; ) {
      const room = WINDOW_FACTS - this.#window.size;
      const chunk = room > 0 && !this.#held ? this.#backlog.next(room) : undefined;
      if (!chunk) {
        await this.#wake.wait(RETRY_MAX_MS, signal); // woken by what comes and by what is finished: nothing is found by looking again
        continue;
      }
      try {
        const admitted = await this.#work.admit(chunk.records);
        if (signal.aborted) return;
        this.#backlog.taken(chunk);
        this.#window.add(admitted.items, chunk.nextOffset);
        this.#progress.notify();
        for (const key of admitted.keys) this.#parts.scheduler.ready(this, key);
        this.#troubles.delete(this.#backlog);
        attempt = 1;
      } catch (error) {
        this.#tell(this.#backlog, error, 'facts could not be taken in; trying again');
        await pause(backoffMs(attempt++, this.#parts.reactions.retry), signal);
      }
    }
  }

  async #checkpoints(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && !this.#fenced) {
      await this.#progress.wait(CHECKPOINT_INTERVAL_MS * 10, signal); // looks by itself: a key that ends its work, and so lets the checkpoint pass it, notifies nobody
      try {
        await this.#commit();
        this.#troubles.delete(this.#progress);
      } catch (error) {
        this.#tell(this.#progress, error, 'the position was not written; trying again');
      }
      await pause(CHECKPOINT_INTERVAL_MS, signal);
    }
  }

  async #commit(): Promise<void> {
    const position = Math.min(this.#window.position, this.#work.unsafeFrom);
    if (position <= this.checkpoint.nextOffset) return;
    const last = this.#window.last && this.#window.last.offset < position ? this.#window.last : undefined;
    const facts = this.#window.takeFinished();
    const next: Checkpoint = { ...this.checkpoint, nextOffset: position, lastOffset: last?.offset ?? this.checkpoint.lastOffset, lastFactId: last?.id ?? this.checkpoint.lastFactId };
    if (!(await this.#work.commit(this.checkpoint, next))) {
      this.#fenced = true;
      return this.#opening.events.fenced();
    }
    this.checkpoint = next;
    this.#opening.events.advanced(next, position, facts);
  }
}
