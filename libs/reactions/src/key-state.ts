import type { ReceivedFact } from 'factline/contracts';
import { type FactlineError, formatId } from 'factline/kernel';
import type { LogRecord } from 'factline/log';
import type { Done } from './inbox.js';
import type { Handler } from './reaction.js';
import { missing, reused } from './verdict.js';

/** One record of the window, until everything before it is finished too. */
export interface Item {
  readonly key: KeyState;
  readonly record: LogRecord;
  /** 0: it is no fact. */
  readonly sequence: number;
  readonly factId: Buffer | null;
  /** Absent: nobody selected it, or it cannot be read. */
  readonly handler?: Handler;
  readonly fact?: ReceivedFact;
  readonly error?: FactlineError;
  finished: boolean;
}

/** One key of a partition: where it stands, and its facts that wait, in order. Their first is handled by one worker at a time. */
export class KeyState {
  readonly waiting: Item[] = [];
  /** What the inbox holds. */
  stored: Done;
  /** Up to where it is finished; ahead of the inbox after facts that need no effect. */
  seen: number;
  #seenId: Buffer | null;
  /** Where the first fact lies that it passed over and the inbox does not know of. */
  #passedFrom = 0;
  busy = false;
  /** Failures since it last went on. */
  attempts = 0;
  /** Those of them that say nothing about themselves. */
  unexplained = 0;
  /** Whether it is in the queue of the scheduler, or waits for its next attempt. */
  scheduled = false;

  constructor(
    readonly key: string,
    done: Done,
  ) {
    this.stored = done;
    this.seen = done.sequence;
    this.#seenId = done.factId;
  }

  get idle(): boolean {
    return !this.busy && this.waiting.length === 0 && !this.dirty;
  }

  /** Finished beyond what the inbox knows. */
  get dirty(): boolean {
    return this.seen > this.stored.sequence;
  }

  /** Up to where it is finished, for the inbox. */
  get done(): Done {
    return { sequence: this.seen, factId: this.#seenId };
  }

  /** A checkpoint beyond this would make facts look missing that were passed over. */
  get unsafeFrom(): number {
    return this.dirty ? this.#passedFrom : Infinity;
  }

  /** A fact that needs no effect is finished. */
  pass({ sequence, factId, record }: Item): void {
    if (!this.dirty) this.#passedFrom = record.offset;
    this.seen = sequence;
    this.#seenId = factId;
  }

  /** The inbox holds this now. */
  settle(done: Done): void {
    if (done.sequence < this.stored.sequence) return;
    this.stored = done;
    if (done.sequence < this.seen) return;
    this.seen = done.sequence;
    this.#seenId = done.factId;
  }

  /** What to do with the next fact. @param fromZero whether a key that was never seen has to begin with 1. */
  judge({ sequence, factId, handler, error, record }: Item, place: string, fromZero: boolean): 'duplicate' | 'pass' | 'handle' | FactlineError {
    if (sequence === 0) return error!;
    if (sequence <= this.seen) {
      const { stored } = this;
      const other = sequence === stored.sequence && stored.factId !== null && factId !== null && !stored.factId.equals(factId);
      return other ? reused(`${place} offset ${record.offset} (${formatId(factId)})`, sequence) : 'duplicate';
    }
    if ((this.seen > 0 || fromZero) && sequence !== this.seen + 1) return missing(`${place} offset ${record.offset}`, this.seen, sequence);
    if (error) return error;
    return handler ? 'handle' : 'pass';
  }
}
