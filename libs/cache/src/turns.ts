import { LOADS_WAITING } from './limits.js';

/** At most so many at once; the others wait, in order, and at most LOADS_WAITING of them. */
export class Turns {
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(
    private readonly atOnce: number,
    private readonly crowded: () => Error,
  ) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when it is the caller's turn, which ends with `done()`. @throws the reason of the abort while it waits; `cache.crowded`. */
  async begin(abort: AbortSignal): Promise<void> {
    abort.throwIfAborted();
    if (this.#running < this.atOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.size >= LOADS_WAITING) throw this.crowded();
    await new Promise<void>((resolve, reject) => {
      const mine = () => {
        abort.removeEventListener('abort', given);
        resolve();
      };
      const given = () => {
        this.#waiting.delete(mine);
        reject(abort.reason as Error);
      };
      this.#waiting.add(mine);
      abort.addEventListener('abort', given, { once: true });
    });
  }

  /** The turn passes on without a moment at which it is free: nobody can come between. */
  done(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
