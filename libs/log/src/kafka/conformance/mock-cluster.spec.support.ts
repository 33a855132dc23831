import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { parseBatches } from '../batch-parsing.js';
import { Reader, Writer } from '../wire.js';

/** One topic-partition's part of a Produce request, and who may answer it. */
interface Produced {
  node: number;
  partition: number;
  batch: Buffer;
}

const API = { produce: 0, metadata: 3, versions: 18, producerId: 22 } as const;
/** What the clients under test may choose from: one version each, apart from Metadata, of which kafkajs knows up to 6 and we need 10. */
const VERSIONS: readonly [number, number, number][] = [[API.produce, 7, 7], [API.metadata, 5, 10], [API.versions, 0, 2], [API.producerId, 0, 1]];
const FLEXIBLE_METADATA = 9;
const NOT_LEADER = 6;

/**
 * Two brokers inside this process that speak as much of the protocol as producing needs (Metadata, Produce, ApiVersions, InitProducerId), for faults whose moment no real
 * broker lets us choose. It stores what it acknowledges, and nothing else.
 */
export class MockCluster {
  /** Partition to the node that leads it. */
  readonly leaders: number[] = [1, 2];
  /** Keys by partition, in the order of their offsets. */
  readonly stored: string[][] = [[], []];
  /** Runs before a Produce request is looked at: waits, or moves leaders. */
  onProduce: (request: Produced) => Promise<void> = () => Promise.resolve();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #producers = 0;

  constructor(readonly topic: string) {}

  async open(): Promise<this> {
    for (const node of [1, 2]) {
      const server = createServer((socket) => this.#serve(node, socket));
      this.#servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return this;
  }

  get brokers(): string[] {
    return this.#ports.map((port) => `127.0.0.1:${port}`);
  }

  nodeAt(port: number): number {
    return this.#ports.indexOf(port) + 1;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  get #ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  #serve(node: number, socket: Socket): void {
    let waiting: Buffer = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      waiting = Buffer.concat([waiting, data]);
      for (let size = 0; waiting.length >= 4 && waiting.length >= 4 + (size = waiting.readInt32BE(0)); waiting = waiting.subarray(4 + size)) {
        void this.#answer(node, socket, waiting.subarray(4, 4 + size)).catch((error: Error) => socket.destroy(error));
      }
    });
  }

  async #answer(node: number, socket: Socket, frame: Buffer): Promise<void> {
    const request = new Reader(Buffer.from(frame));
    const [api, version, correlation] = [request.int16(), request.int16(), request.int32()];
    request.string(); // client id
    const body = await this.#bodyOf(node, api, version, request);
    const answer = new Writer().int32(correlation).bytes(body);
    socket.write(new Writer().int32(answer.buffer.length).bytes(answer.buffer).buffer);
  }

  async #bodyOf(node: number, api: number, version: number, request: Reader): Promise<Buffer> {
    switch (api) {
      case API.versions:
        return versionsBody(version);
      case API.metadata:
        return version >= FLEXIBLE_METADATA ? this.#flexibleMetadata() : this.#metadata();
      case API.producerId:
        return new Writer().int32(0).int16(0).int64(++this.#producers).int16(0).buffer;
      case API.produce:
        return this.#produce(node, request);
      default:
        throw new Error(`a request that producing does not need: api ${api}`);
    }
  }

  #metadata(): Buffer {
    const body = new Writer().int32(0).int32(2);
    this.#ports.forEach((port, at) => body.int32(at + 1).string('127.0.0.1').int32(port).string(null));
    body.string('mock').int32(1).int32(1).int16(0).string(this.topic).int8(0).int32(this.leaders.length);
    this.leaders.forEach((leader, partition) => body.int16(0).int32(partition).int32(leader).int32(0).int32(0).int32(0));
    return body.buffer;
  }

  #flexibleMetadata(): Buffer {
    const body = new Writer().unsignedVarint(0).int32(0).unsignedVarint(3);
    this.#ports.forEach((port, at) => body.int32(at + 1).compactString('127.0.0.1').int32(port).unsignedVarint(0).unsignedVarint(0));
    body.compactString('mock').int32(1).unsignedVarint(2).int16(0).compactString(this.topic).bytes(Buffer.alloc(16, 1)).int8(0).unsignedVarint(this.leaders.length + 1);
    this.leaders.forEach((leader, partition) => body.int16(0).int32(partition).int32(leader).int32(0).unsignedVarint(1).unsignedVarint(1).unsignedVarint(1).unsignedVarint(0));
    return body.int32(0).unsignedVarint(0).unsignedVarint(0).buffer;
  }

  async #produce(node: number, request: Reader): Promise<Buffer> {
    request.string(); // transaction
    request.int16(); // acknowledgements
    request.int32(); // timeout
    const parts = request.array(() => {
      request.string(); // topic
      return request.array(() => ({ node, partition: request.int32(), batch: request.bytes(request.int32()) }));
    });
    const body = new Writer().int32(1).string(this.topic).int32(parts.flat().length);
    for (const part of parts.flat()) {
      await this.onProduce(part);
      const leads = this.leaders[part.partition] === node;
      body.int32(part.partition).int16(leads ? 0 : NOT_LEADER).int64(leads ? this.#store(part) : -1).int64(-1).int64(0);
    }
    return body.int32(0).buffer;
  }

  #store({ partition, batch }: Produced): number {
    const log = this.stored[partition]!;
    const offset = log.length;
    for (const { key } of parseBatches(batch, 0, Infinity, []).records) log.push(key.toString());
    return offset;
  }
}

function versionsBody(version: number): Buffer {
  const body = new Writer().int16(0).int32(VERSIONS.length);
  for (const [api, from, to] of VERSIONS) body.int16(api).int16(from).int16(to);
  return version > 0 ? body.int32(0).buffer : body.buffer;
}
