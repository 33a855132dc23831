import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A text message as it arrived; one that arrived twice is here twice. */
export interface TakenText {
  readonly to: string;
  readonly text: string;
  readonly idempotencyKey: string | undefined;
  readonly authorization: string | undefined;
}

/** What the provider does with a message: takes it; takes it and is gone before it says so; never answers; answers something else, without taking it. */
export type TextConduct = 'take' | 'cut' | 'silence' | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> };

/** An SMS provider on this machine: it records what it took, and answers a key it has seen with the id it gave. */
export class SmsServer {
  readonly taken: TakenText[] = [];
  conduct: (to: string) => TextConduct = () => 'take';

  private constructor(private readonly server: Server) {}

  static async open(): Promise<SmsServer> {
    const server = createServer();
    const made = new SmsServer(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void made.#answer(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/messages`;
  }

  to(number: string): TakenText[] {
    return this.taken.filter(({ to }) => to === number);
  }

  async close(): Promise<void> {
    const closed = once(this.server.close(), 'close');
    this.server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { to, text } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { to: string; text: string };
    const conduct = this.conduct(to);
    if (conduct === 'silence') return;
    if (typeof conduct === 'object') {
      response.writeHead(conduct.status, conduct.headers).end(conduct.body);
      return;
    }
    const idempotencyKey = request.headers['idempotency-key'] as string | undefined;
    this.taken.push({ to, text, idempotencyKey, authorization: request.headers.authorization });
    if (conduct === 'cut') request.socket.destroy();
    else response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id: `sms-${idempotencyKey}` }));
  }
}
