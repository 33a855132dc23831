import { type Server, type Socket, connect, createServer } from 'node:net';

/** A TCP proxy in front of one service: closed, the service is away for those who use this address, and for nobody else on the stack. */
export class Gate {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(private readonly target: { host: string; port: number }) {}

  static async to(url: string): Promise<Gate> {
    const { hostname: host, port } = new URL(url);
    const gate = new Gate({ host, port: Number(port) });
    await gate.open();
    return gate;
  }

  /** The given address, through the gate. */
  through(url: string): string {
    const other = new URL(url);
    other.hostname = '127.0.0.1';
    other.port = String(this.#port);
    return other.href;
  }

  async open(): Promise<void> {
    const server = createServer((incoming) => this.#join(incoming, connect(this.target)));
    await new Promise<void>((opened, failed) => server.once('error', failed).listen(this.#port, '127.0.0.1', opened));
    this.#port = (server.address() as { port: number }).port;
    this.#server = server;
  }

  /** Refuses new connections and cuts those there are. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise<void>((closed) => server.close(() => closed()));
  }

  #join(incoming: Socket, outgoing: Socket): void {
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
