import { detached } from 'factline/kernel';
import type { Breaker } from './breaker.js';
import type { KeyState } from './key-state.js';

/** Works on keys that are `busy`; what fails is its own to tell. */
interface Worker {
  work(key: KeyState, ended: () => void): void;
}

interface Ready {
  lane: Worker;
  key: KeyState;
}

/** Lets keys of all partitions of a process run beside each other, so many at once, those that waited longest first; and one now and then while the breaker is open. */
export class Scheduler {
  #ready: Ready[] = [];
  #running = 0;
  #held = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #begin = detached(({ lane, key }: Ready) => lane.work(key, () => this.#ended()));

  constructor(
    readonly breaker: Breaker,
    private readonly concurrency: number,
  ) {}

  /** A key that has something to do. Given twice is given once. */
  ready(lane: Worker, key: KeyState): void {
    if (key.scheduled || key.busy) return;
    key.scheduled = true;
    this.#ready.push({ lane, key });
    this.#pump();
  }

  /** Nothing of this lane is begun any more. */
  forget(lane: Worker): void {
    for (const { key } of this.#ready.filter((each) => each.lane === lane)) {
      key.scheduled = false;
      this.breaker.forget(key);
    }
    this.#ready = this.#ready.filter((each) => each.lane !== lane);
    if (this.#ready.length === 0) clearTimeout(this.#timer);
  }

  /** Begins nothing more until `release`, whatever the lane. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** More keys of this lane whose next fact `suits`, for a handler that takes many: they are the caller's. */
  take(lane: Worker, suits: (key: KeyState) => boolean, most: number): KeyState[] {
    const taken: KeyState[] = [];
    this.#ready = this.#ready.filter((each) => {
      if (taken.length >= most || each.lane !== lane || !suits(each.key)) return true;
      each.key.scheduled = false;
      each.key.busy = true;
      taken.push(each.key);
      return false;
    });
    return taken;
  }

  #pump(): void {
    while (this.#ready.length > 0 && !this.#held) {
      const open = this.breaker.open !== undefined;
      if (this.#running >= (open ? 1 : this.concurrency)) return;
      const waitMs = this.breaker.probeInMs;
      if (waitMs > 0) return this.#later(waitMs);
      const next = this.#ready.shift()!;
      next.key.scheduled = false;
      next.key.busy = true;
      this.#running++;
      this.#begin(next);
    }
  }

  #ended(): void {
    this.#running--;
    this.#pump();
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms);
  }
}
