import type { ServerResponse } from 'node:http';
import { EVENTS_HEARTBEAT_MS, EVENTS_WAITING_BYTES } from '../limits.js';

/**
 * Server-sent events to one client. The head goes out with the first event, so that what is refused before it is still answered as a problem. A client that does not read is let go
 * when 64 KiB wait for it.
 */
export class EventStream {
  readonly #left = new AbortController();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(private readonly response: ServerResponse) {
    if (response.destroyed) this.#leave(); // it closes once
    else response.once('close', () => this.#leave());
  }

  /** Fires when the client is gone. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  send(event: string, data: unknown): void {
    const { response } = this;
    if (!this.#heartbeat) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      this.#heartbeat = setInterval(() => this.#write(':\n\n'), EVENTS_HEARTBEAT_MS);
    }
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.#heartbeat);
    this.response.end();
  }

  #write(text: string): void {
    if (this.response.writableLength > EVENTS_WAITING_BYTES) this.response.destroy();
    else this.response.write(text);
  }

  #leave(): void {
    clearInterval(this.#heartbeat);
    this.#left.abort();
  }
}
