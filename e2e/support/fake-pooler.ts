import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { lowPort } from './low-port.js';

/** A connection to the server, who has it now, and how many answers of it are awaited. */
interface Backend {
  socket: Socket;
  client: Socket | undefined;
  awaited: number;
}

/** What is answered with one "ready for query": a simple query, a sync. */
const ASKS = new Set(['Q', 'S']);
/** No server of ours has so high a process id. */
const MADE_UP_PID = 2_000_000_000;
const PID_AT = 5;
const STATUS_AT = 5;

/** Cuts a stream of Postgres' protocol into its messages: a letter, a length, the rest. */
function framed(take: (type: string, message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const bytes = rest.readInt32BE(1) + 1;
      const message = rest.subarray(0, bytes);
      rest = rest.subarray(bytes);
      take(String.fromCharCode(message[0]!), message);
    }
  };
}

/**
 * A pooler in front of Postgres that does what pgbouncer does, as far as it matters to clients: each logs in by itself, is told a process id that is none of the server's, and afterwards
 * has a connection for a transaction at a time (`transaction`), or the same one until it leaves (`session`). The connection that was given back last is handed out first.
 */
export class FakePooler {
  readonly #backends = new Set<Backend>();
  /** Those that nobody has. */
  readonly #idle: Backend[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #port = 0;

  private constructor(
    private readonly target: URL,
    private readonly mode: 'transaction' | 'session',
  ) {
    this.#server = createServer((client) => this.#admit(client));
  }

  static async to(databaseUrl: string, mode: 'transaction' | 'session'): Promise<FakePooler> {
    const pooler = new FakePooler(new URL(databaseUrl), mode);
    pooler.#port = await lowPort();
    pooler.#server.listen(pooler.#port, '127.0.0.1');
    await once(pooler.#server, 'listening');
    return pooler;
  }

  through(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${this.#port}`;
    return url.href;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Who comes brings a connection: start and password go through as they are, and when the server is ready it is the pool's. */
  #admit(client: Socket): void {
    const backend: Backend = { socket: connect(Number(this.target.port), this.target.hostname), client, awaited: 1 };
    this.#backends.add(backend);
    for (const socket of [client, backend.socket]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
    }
    let loggedIn = false;
    const answer = framed((type, message) => {
      if (type === 'K') message.writeInt32BE(MADE_UP_PID, PID_AT);
      backend.client?.write(message);
      if (type === 'Z') {
        loggedIn = true;
        this.#ready(backend, String.fromCharCode(message[STATUS_AT]!));
      }
    });
    backend.socket.on('data', answer).on('close', () => this.#gone(backend));
    const ask = framed((type, message) => this.#ask(client, type, message));
    client.on('data', (chunk: Buffer) => (loggedIn ? ask(chunk) : backend.socket.write(chunk)));
    client.on('close', () => this.#ofClient(client)?.socket.destroy());
  }

  #ask(client: Socket, type: string, message: Buffer): void {
    if (type === 'X') return void client.end();
    const backend = this.#ofClient(client) ?? this.#idle.pop();
    if (!backend) return void client.destroy(); // cannot be: each brought one
    backend.client = client;
    if (ASKS.has(type)) backend.awaited++;
    backend.socket.write(message);
  }

  #ready(backend: Backend, status: string): void {
    backend.awaited--;
    if (this.mode === 'session' || backend.awaited > 0 || status !== 'I') return;
    backend.client = undefined;
    this.#idle.push(backend);
  }

  #gone(backend: Backend): void {
    backend.client?.destroy();
    this.#backends.delete(backend);
    const at = this.#idle.indexOf(backend);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #ofClient(client: Socket): Backend | undefined {
    return [...this.#backends].find((backend) => backend.client === client);
  }
}
