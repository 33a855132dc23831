import type { Socket } from 'node:net';

/** Bytes that wait, per direction: more than a fetch of Kafka. Then the sender is paused, as a full window does. */
const WAITING_BYTES = 4_194_304;

/** One direction of a proxied connection, in order whatever its faults are. */
export class FaultPipe {
  readonly #waiting: { due: number; bytes: Buffer }[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #held = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly latencyMs: () => number,
    /** Sees every piece when it comes in, and may throw it away. */
    private readonly passes: (bytes: Buffer) => boolean,
  ) {
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => {
      this.#ended = true;
      this.#deliver();
    });
    to.on('drain', () => this.#deliver());
    to.once('close', () => clearTimeout(this.#timer));
  }

  /** Nothing comes out any more, not even the end; `false` lets it go on where it was. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) this.from.pause();
    this.#deliver();
  }

  #take(bytes: Buffer): void {
    if (!this.passes(bytes)) return;
    this.#waiting.push({ due: performance.now() + this.latencyMs(), bytes });
    this.#waitingBytes += bytes.length;
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#held || this.to.destroyed) return;
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const early = first.due - performance.now();
      if (early > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(early));
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes.length;
      this.to.write(first.bytes);
    }
    if (this.#waitingBytes + this.to.writableLength >= WAITING_BYTES) this.from.pause();
    else this.from.resume();
    if (this.#ended && this.#waiting.length === 0) this.to.end();
  }
}
