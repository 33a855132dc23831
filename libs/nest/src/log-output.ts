import { writeSync } from 'node:fs';
import { LOG_WAIT_ATTEMPTS, LOG_WAIT_MS } from './limits.js';

const STANDARD_OUTPUT = 1;
const idle = new Int32Array(new SharedArrayBuffer(4));

/**
 * Standard output as the end of a log that never stops its service. A line that cannot be written (a full disk, a reader that is gone or does not keep up for
 * 100 ms) is dropped and counted; the next one that can be written is preceded by a line that says how many were lost.
 *
 * In place of pino's own output, which on a full disk throws, and at the exit that follows waits for space for ever: the process neither ended nor answered.
 */
export class LogOutput {
  #dropped = 0;
  #broken = false;

  /** @param put writes some of the bytes and says how many, as `writeSync` does. */
  constructor(private readonly put: (bytes: Uint8Array) => number = (bytes) => writeSync(STANDARD_OUTPUT, bytes)) {}

  get droppedLines(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const before = this.#broken ? '\n' : '';
    const lost = this.#dropped > 0 ? `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), dropped: this.#dropped, msg: 'lines of this log were lost: its output did not take them' })}\n` : '';
    if (this.#put(Buffer.from(before + lost + line))) this.#dropped = 0;
    else this.#dropped++;
  }

  #put(bytes: Uint8Array): boolean {
    let done = 0;
    for (let waits = 0; done < bytes.length; ) {
      try {
        done += this.put(bytes.subarray(done));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || ++waits > LOG_WAIT_ATTEMPTS) {
          this.#broken ||= done > 0; // half a line: the next one begins on a line of its own
          return false;
        }
        Atomics.wait(idle, 0, 0, LOG_WAIT_MS);
      }
    }
    this.#broken = false;
    return true;
  }
}
