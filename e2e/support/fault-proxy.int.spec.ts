import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { until } from 'factline/testing';
import { FaultProxy } from './fault-proxy.js';

/** A server that answers each piece with `<piece>!`, and remembers what it got. */
let server: Server;
let received: string;
let proxy: FaultProxy;
const clients: Client[] = [];

class Client {
  text = '';
  ending: string | undefined;
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  constructor(address: string) {
    const [host, port] = address.split(':');
    this.#socket = connect({ host: host!, port: Number(port) });
    this.#socket.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => (this.ending = error.code));
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve((this.ending ??= 'closed'))));
    clients.push(this);
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  end(text: string): void {
    this.#socket.end(text);
  }

  says(text: string): Promise<unknown> {
    return until(`the answer ${text}`, () => this.text === text);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

beforeEach(async () => {
  received = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes.toString();
      socket.write(`${bytes.toString()}!`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await FaultProxy.to(`127.0.0.1:${(server.address() as { port: number }).port}`);
});

afterEach(async () => {
  await proxy.close();
  for (const client of clients.splice(0)) client.destroy();
  server.close();
  await once(server, 'close'); // only when the proxy has left no connection to it
});

async function talking(): Promise<Client> {
  const client = new Client(proxy.address);
  client.send('a');
  await client.says('a!');
  return client;
}

it('passes both ways, counts, and lets a client end in order with what it sent last', async () => {
  const client = await talking();
  expect(proxy.counts).toEqual({ accepted: 1, open: 1, reset: 0, swallowed: 0 });
  proxy.latency(30);
  client.end('b');
  expect(await client.closed).toBe('closed');
  expect([received, client.text]).toEqual(['ab', 'a!b!']);
  await until('the connection to be gone', () => proxy.counts.open === 0);
});

it('delays each piece both ways, and keeps the order when the delay ends', async () => {
  const client = await talking();
  proxy.latency(60);
  const began = performance.now();
  client.send('b');
  await until('the first piece to be under way', () => received === 'ab');
  expect(performance.now() - began).toBeGreaterThanOrEqual(59);
  proxy.latency(0);
  client.send('c');
  await client.says('a!b!c!');
});

it.each([
  ['to-server', 'a'],
  ['to-client', 'ab'],
] as const)('holds what goes %s, of connections that stand and of new ones, until it heals', async (direction, gotByServer) => {
  const client = await talking();
  proxy.blackhole(direction);
  client.send('b');
  const late = new Client(proxy.address);
  late.send('');
  await until('the second connection', () => proxy.counts.open === 2);
  if (direction === 'to-client') await until('the server to have it', () => received === gotByServer);
  expect([received, client.text]).toEqual([gotByServer, 'a!']);
  await proxy.heal();
  await client.says('a!b!');
  late.send('c');
  await late.says('c!');
});

it('resets connections that stand, and takes new ones', async () => {
  const client = await talking();
  proxy.reset();
  expect(await client.closed).toBe('ECONNRESET');
  expect(proxy.counts.reset).toBe(1);
  await talking();
});

it('refuses new connections while those that stand go on, on the same port afterwards', async () => {
  const [client, { address }] = [await talking(), proxy];
  proxy.refuse();
  expect(await new Client(address).closed).toBe('ECONNREFUSED');
  client.send('b');
  await client.says('a!b!');
  await proxy.heal();
  expect(proxy.address).toBe(address);
  await talking();
});

it('swallows the response to the request that matches, after the server has processed it, and no other', async () => {
  const [client, other] = [await talking(), await talking()];
  const swallowed = proxy.swallowNextResponse((request) => request.toString() === 'produce');
  other.send('metadata');
  await other.says('a!metadata!');
  client.send('produce');
  await swallowed;
  expect(await client.closed).toBe('ECONNRESET');
  expect(received).toContain('produce');
  expect(client.text).toBe('a!');
  expect(proxy.counts).toMatchObject({ swallowed: 1, reset: 0 });
  const again = await talking();
  again.send('produce');
  await again.says('a!produce!');
});

it('swallows one response when two requests that match are under way at once', async () => {
  const [one, two] = [await talking(), await talking()];
  const swallowed = proxy.swallowNextResponse((request) => request.toString() === 'produce');
  proxy.latency(30);
  one.send('produce');
  two.send('produce');
  await swallowed;
  const other = await Promise.race([one.closed.then(() => two), two.closed.then(() => one)]);
  await other.says('a!produce!');
  expect(proxy.counts).toMatchObject({ swallowed: 1 });
});

it('cuts a client whose server is not there', async () => {
  const nobody = await FaultProxy.to(proxy.address);
  await proxy.close();
  expect(await new Client(nobody.address).closed).toBe('ECONNRESET');
  await nobody.close();
});
