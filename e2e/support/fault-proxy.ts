import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { FaultPipe } from './fault-pipe.js';
import { lowPort } from './low-port.js';

export type Direction = 'to-server' | 'to-client';

/** What a proxy has seen since it began. */
export interface ProxyCounts {
  accepted: number;
  /** Connections that stand now. */
  open: number;
  /** Connections cut by `reset`. */
  reset: number;
  /** Responses thrown away. */
  swallowed: number;
}

interface Link {
  client: Socket;
  server: Socket;
  pipes: Record<Direction, FaultPipe>;
}

/**
 * Our own TCP fault proxy, on loopback in front of one address. It passes everything through until it is told otherwise; every fault can be switched while
 * it runs, and applies to the connections that stand and to new ones.
 *
 * Not promised: packet loss and reordering (TCP hides both), and faults between two servers, which do not come by here.
 */
export class FaultProxy {
  readonly #links = new Set<Link>();
  readonly #held = new Set<Direction>();
  readonly #counts = { accepted: 0, reset: 0, swallowed: 0 };
  #latencyMs = 0;
  #server: Server | undefined;
  #port = 0;
  #trap: { match: (request: Buffer) => boolean; sprung: () => void; in?: Link | undefined } | undefined;

  private constructor(private readonly target: { host: string; port: number }) {}

  /** @param address `host:port`, or the URL of a service. It need not be listening yet. */
  static async to(address: string): Promise<FaultProxy> {
    const { hostname: host, port } = new URL(address.includes('://') ? address : `tcp://${address}`);
    const proxy = new FaultProxy({ host, port: Number(port) });
    proxy.#port = await lowPort();
    await proxy.#listen();
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The given URL, through the proxy. */
  through(url: string): string {
    const other = new URL(url);
    other.hostname = '127.0.0.1';
    other.port = String(this.#port);
    return other.href;
  }

  get counts(): ProxyCounts {
    return { ...this.#counts, open: this.#links.size };
  }

  /** Every piece of data comes so much later, each way; 0 ends it. */
  latency(ms: number): void {
    this.#latencyMs = ms;
  }

  /** Nothing comes through in this direction any more and nobody is told; `heal` delivers what is under way, as TCP does after a partition. */
  blackhole(direction: Direction): void {
    this.#held.add(direction);
    for (const { pipes } of this.#links) pipes[direction].hold(true);
  }

  /** Cuts every connection that stands, the client's with RST. */
  reset(): void {
    this.#counts.reset += this.#links.size;
    for (const link of this.#links) cut(link);
  }

  /** New connections are refused, by a port on which nobody listens; those that stand go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /**
   * The next request that matches, and no other, goes through; what comes back on its connection is thrown away, and the connection is cut. Resolves then: the server has
   * processed the request, and the client will never know. A match is sought at the beginning of each piece of data.
   */
  swallowNextResponse(match: (request: Buffer) => boolean = () => true): Promise<void> {
    return new Promise((sprung) => (this.#trap = { match, sprung }));
  }

  /** Ends every fault: what was held is delivered, and connections are taken again. */
  async heal(): Promise<void> {
    this.#latencyMs = 0;
    this.#trap = undefined;
    this.#held.clear();
    for (const { pipes } of this.#links) {
      pipes['to-server'].hold(false);
      pipes['to-client'].hold(false);
    }
    if (!this.#server) await this.#listen();
  }

  /** Cuts everything; nothing of it stays. */
  async close(): Promise<void> {
    this.refuse();
    const closed = [...this.#links].flatMap(({ client, server }) => [client, server]).map((socket) => (socket.closed ? Promise.resolve() : once(socket, 'close')));
    for (const link of this.#links) cut(link);
    await Promise.all(closed);
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
    await new Promise<void>((opened, failed) => server.once('error', failed).listen(this.#port, '127.0.0.1', opened));
    this.#server = server;
  }

  #join(client: Socket): void {
    this.#counts.accepted++;
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const request = (bytes: Buffer) => {
      if (this.#trap && !this.#trap.in && this.#trap.match(bytes)) this.#trap.in = link;
      return true;
    };
    const response = () => {
      const swallow = this.#trap?.in === link;
      if (swallow) this.#swallow(link);
      return !swallow;
    };
    const latency = () => this.#latencyMs;
    const pipes = { 'to-server': new FaultPipe(client, server, latency, request), 'to-client': new FaultPipe(server, client, latency, response) };
    const link: Link = { client, server, pipes };
    this.#links.add(link);
    for (const direction of this.#held) pipes[direction].hold(true);
    for (const socket of [client, server]) {
      socket.on('error', () => cut(link));
      socket.once('close', () => {
        if (!client.closed || !server.closed) return;
        this.#links.delete(link);
        if (this.#trap?.in === link) this.#trap.in = undefined; // gone before it was answered: the next one
      });
    }
  }

  #swallow(link: Link): void {
    this.#counts.swallowed++;
    this.#trap?.sprung();
    this.#trap = undefined;
    cut(link);
  }
}

function cut({ client, server }: Link): void {
  client.resetAndDestroy();
  server.destroy();
}
