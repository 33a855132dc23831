import net, { type Socket } from 'node:net';
import kafkajs from 'kafkajs';
import { type BrokerFactory, brokerFactory } from '../client.js';
import { KafkaPublisher } from '../publisher.js';
import { Session } from '../session.js';

/** What a client says about the record that it was given for one partition. */
export interface Verdict {
  partition: number;
  acknowledged: boolean;
  /** As the client tells it; undefined where it tells none. */
  offset: number | undefined;
}

/** A client that sends, as the conformance specs drive it. Whatever may stand behind the log's port some day needs one of these. */
export interface SendingClient {
  /** One record with this key to each of these partitions, in one call where the client has such a call. */
  send(topic: string, key: string, partitions: readonly number[]): Promise<Verdict[]>;
  close(): Promise<void>;
}

/** What lies between a client and its brokers, inside this process. */
export interface Wire {
  brokers: readonly string[];
  /** Asked when the answer to a Produce request has arrived and before the client sees it: false loses it, and the connection with it. */
  pass(port: number): boolean;
}

const PRODUCE = 0;
const API_KEY_AT = 4;
/** So short that a spec does not wait for it; the client's own default is 300 ms. */
const RETRY_MS = 10;

export type MakeSendingClient = (wire: Wire) => SendingClient;

/** The client behind the log's port. */
export const ourPublisher: MakeSendingClient = (wire) => {
  const make = brokerFactory({ brokers: wire.brokers, clientId: 'conformance' });
  const tappedBroker: BrokerFactory = (host, port) => {
    const broker = make(host, port);
    const pool = broker.connectionPool as unknown as { pool: { socketFactory: (to: { port: number }) => Socket }[] };
    for (const connection of pool.pool) {
      const { socketFactory } = connection;
      connection.socketFactory = (to) => tapped(socketFactory(to), () => wire.pass(to.port));
    }
    return broker;
  };
  const publisher = new KafkaPublisher(() => new Session(tappedBroker, wire.brokers), 30_000, () => undefined);
  return {
    send: (topic, key, partitions) =>
      Promise.all(
        partitions.map((partition) =>
          publisher.send(topic, partition, [{ key: Buffer.from(key), value: Buffer.from(key) }]).then(
            ({ baseOffset }) => ({ partition, acknowledged: true, offset: baseOffset }),
            () => ({ partition, acknowledged: false, offset: undefined }),
          ),
        ),
      ),
    close: () => publisher.close(),
  };
};

/** kafkajs's own producer, without our rules: the control. */
export function kafkajsProducer(options: { idempotent: boolean }): MakeSendingClient {
  return (wire) => {
    const kafka = new kafkajs.Kafka({
      brokers: [...wire.brokers],
      clientId: 'conformance',
      logLevel: kafkajs.logLevel.NOTHING,
      socketFactory: ({ host, port, onConnect }) => tapped(net.connect({ host, port }, onConnect), () => wire.pass(port)),
    });
    const producer = kafka.producer({ ...options, maxInFlightRequests: 1, retry: { retries: 1, initialRetryTime: RETRY_MS }, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    const connected = producer.connect();
    return {
      send: async (topic, key, partitions) => {
        await connected;
        const told = await producer.send({ topic, acks: -1, messages: partitions.map((partition) => ({ key, value: key, partition })) }).catch(() => undefined);
        return partitions.map((partition) => {
          const offset = told?.find((each) => each.partition === partition)?.baseOffset;
          return { partition, acknowledged: told !== undefined, offset: offset === undefined ? undefined : Number(offset) };
        });
      },
      close: () => producer.disconnect(),
    };
  };
}

/** Sees a client's requests and the first bytes of their answers on a socket, whichever client opened it. */
function tapped(socket: Socket, pass: () => boolean): Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
  let awaited = 0;
  socket.write = ((data: unknown, ...rest: unknown[]) => {
    if (Buffer.isBuffer(data) && data.readInt16BE(API_KEY_AT) === PRODUCE) awaited++;
    return write(data, ...rest);
  }) as Socket['write'];
  socket.emit = ((event: string, ...rest: unknown[]) => {
    if (event !== 'data' || awaited === 0) return emit(event, ...rest);
    awaited--;
    if (pass()) return emit(event, ...rest);
    socket.destroy(new Error('the answer was lost'));
    return true;
  }) as Socket['emit'];
  return socket;
}

/** What a client acknowledged although it is not in the log where the client says. `stored`: the keys of a partition by offset. */
export async function unstored(key: string, verdicts: readonly Verdict[], stored: (partition: number) => Promise<readonly string[]>): Promise<string[]> {
  const faults: string[] = [];
  for (const { partition, acknowledged, offset } of verdicts) {
    if (!acknowledged) continue;
    const keys = await stored(partition);
    if (offset === undefined) faults.push(`${key} was acknowledged in partition ${partition} without an offset, and ${keys.includes(key) ? 'is there' : 'is not there'}`);
    else if (keys[offset] !== key) faults.push(`${key} was acknowledged at offset ${offset} of partition ${partition}, where ${keys[offset] ?? 'nothing'} is`);
  }
  return faults;
}
