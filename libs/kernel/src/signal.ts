import { AsyncResource } from 'node:async_hooks';

/**
 * A wake-up that cannot be lost: a `notify` while nobody waits makes the next `wait` return at once.
 * Many notifications before a wait count as one. It carries no data: whoever wakes looks for work itself.
 */
export class Signal {
  #notified = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Resolves on a notification, after `timeoutMs`, or when `abort` fires; one waiter at a time. */
  async wait(timeoutMs: number, abort?: AbortSignal): Promise<void> {
    if (!this.#notified && !abort?.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          abort?.removeEventListener('abort', wake);
          this.#wake = undefined;
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        abort?.addEventListener('abort', wake, { once: true });
        this.#wake = wake;
      });
    }
    this.#notified = false;
  }
}

/**
 * Binds a function to the context in which this is called: a loop started at boot and woken from a request must not inherit
 * that request's user, tenant or trace (AsyncLocalStorage).
 */
export function detached<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => R {
  return AsyncResource.bind(run);
}

/** A pause that an abort ends early, without an error: the caller looks at the signal. */
export async function pause(ms: number, abort?: AbortSignal): Promise<void> {
  await new Signal().wait(ms, abort);
}
