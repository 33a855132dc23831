interface Timer {
  due: number;
  run: () => void;
}

type Restore = () => void;

/**
 * Time that passes when it is told to. Between `install` and `restore` the globals `setTimeout`, `clearTimeout`, `performance`, `Date.now` and `Math.random` are
 * this object's, so that code under test runs unchanged; `setImmediate`, promises and I/O stay real.
 */
export class SimulatedTime {
  #now: number;
  #state: number;
  readonly #timers = new Set<Timer>();
  #restore: Restore[] = [];

  constructor(seed: number, start: number) {
    this.#state = seed >>> 0;
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  /** From 0 up to but not including 1, the same sequence for the same seed. Source: mulberry32 (Tommy Ettinger, public domain). */
  readonly random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  install(): void {
    const after = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => this.#after(ms, () => run(...args));
    this.#replace(globalThis, 'setTimeout', after);
    this.#replace(globalThis, 'clearTimeout', (timer: unknown) => void this.#timers.delete(timer as Timer));
    this.#replace(globalThis, 'performance', { now: () => this.#now });
    this.#replace(Date, 'now', () => this.#now);
    this.#replace(Math, 'random', this.random);
  }

  /** Timers that did not fire are forgotten. */
  restore(): void {
    for (const put of this.#restore.splice(0).toReversed()) put();
    this.#timers.clear();
  }

  /** Goes on to the next timer and fires it, or by `atMostMs` when that is earlier. @returns false when there is no timer. */
  advance(atMostMs = Infinity): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.due < next.due) next = timer; // of equal ones the first that was set
    if (!next) return false;
    if (next.due > this.#now + atMostMs) {
      this.#now += atMostMs;
      return true;
    }
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.due);
    next.run();
    return true;
  }

  #after(ms: number, run: () => void): Timer {
    const timer = { due: this.#now + Math.max(1, ms), run };
    this.#timers.add(timer);
    return timer;
  }

  #replace(owner: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(owner, name)!;
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    this.#restore.push(() => Object.defineProperty(owner, name, before));
  }
}
