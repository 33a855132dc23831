import { FactlineError, messageOf } from './errors.js';
import { type Logger, silentLogger } from './logger.js';

/**
 * Stops parts in the opposite order of their start, each once, within one deadline: intake first, then loops, then connections.
 * A part that fails to stop is reported and the others still stop.
 */
export class Lifecycle {
  readonly #parts: { name: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | undefined;

  constructor(private readonly log: Logger = silentLogger) {}

  /** Registers a part that has started. */
  add(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop });
  }

  /** @throws FactlineError `lifecycle.deadline` (internal) naming the part that did not stop in time, after giving up on it and the ones behind it. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stopAll(deadlineMs);
    return this.#stopping;
  }

  async #stopAll(deadlineMs: number): Promise<void> {
    let current = '';
    const all = (async () => {
      for (const part of this.#parts.toReversed()) {
        current = part.name;
        try {
          await part.stop();
        } catch (error) {
          this.log.error({ part: part.name, error: messageOf(error) }, 'a part failed to stop');
        }
      }
    })();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          new FactlineError({
            code: 'lifecycle.deadline',
            kind: 'internal',
            message: `'${current}' did not stop within ${deadlineMs} ms.`,
            advice: 'The process exits anyway; what was not committed is done again after the next start.',
          }),
        );
      }, deadlineMs);
    });
    try {
      await Promise.race([all, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
