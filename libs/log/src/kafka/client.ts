import { createRequire } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import kafkajs from 'kafkajs';
import { FactlineError, type Logger, milliseconds, silentLogger } from 'factline/kernel';
import { CONNECTION_TIMEOUT_MS, KEEP_ALIVE_DELAY_MS, REQUEST_TIMEOUT_MS } from '../limits.js';
import type { KafkaLogOptions } from '../log.js';

/*
 * What is used of kafkajs: its connections (sockets, TLS, SASL, request queue, version negotiation) and the codings of its group requests.
 * Its cluster, consumer and producer are not: silent offset resets (tulios/kafkajs#1119), replies taken for another partition's (#1798) and crash loops
 * (#1630) live there.
 * The package is frozen at 2.2.4 and has no exports map, so its inner modules are a stable interface, as long as exactly that version is installed.
 */
const KAFKAJS_VERSION = '2.2.4';
const inner = createRequire(import.meta.url);

export interface Connection {
  socket?: net.Socket;
  connectionStatus: string;
  isConnected(): boolean;
  connect(): Promise<unknown>;
  requestQueue: { rejectAll(error: Error): void; destroy(): void };
}

export interface ProtocolRequest<T> {
  request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<{ buf: Buffer; buffer: Buffer }> };
  response: { decode(payload: Buffer): Promise<{ clientSideThrottleTime: number; value: T }>; parse(decoded: { value: T }): Promise<T> };
}

export interface JoinedGroup {
  generationId: number;
  leaderId: string;
  memberId: string;
  groupProtocol: string;
  members: { memberId: string; memberMetadata: Buffer }[];
}

export interface Broker {
  versions: Record<number, { minVersion: number; maxVersion: number }> | null;
  connectionPool: { host: string; port: number; pool: Connection[]; send<T>(request: ProtocolRequest<T>): Promise<T>; getConnection(index?: number): Promise<Connection> };
  connect(): Promise<void>;
  isConnected(): boolean;
  createTopics(options: object): Promise<unknown>;
  deleteTopics(options: object): Promise<unknown>;
  findGroupCoordinator(options: { groupId: string; coordinatorType: number }): Promise<{ coordinator: { nodeId: number; host: string; port: number } }>;
  lookupRequest(api: number, definition: object): (options: object) => ProtocolRequest<JoinedGroup>;
  syncGroup(options: object): Promise<{ memberAssignment: Buffer }>;
  heartbeat(options: object): Promise<unknown>;
  leaveGroup(options: object): Promise<unknown>;
  offsetCommit(options: object): Promise<unknown>;
}

/** Makes unconnected brokers of one configuration. */
export type BrokerFactory = (host: string, port: number) => Broker;

/** The member metadata and assignment codings of the consumer protocol. */
export const groupProtocol = kafkajs.AssignerProtocol;

/** @throws FactlineError `log.client-version` (configuration) when another kafkajs than the known one is installed. */
export function brokerFactory(options: KafkaLogOptions): BrokerFactory {
  requireKnownClient();
  quietRequestQueue();
  const BrokerClass = inner('kafkajs/src/broker') as new (options: object) => Broker;
  const ConnectionPool = inner('kafkajs/src/network/connectionPool') as new (options: object) => object;
  const { createLogger, LEVELS } = inner('kafkajs/src/loggers') as { createLogger(options: object): object; LEVELS: { INFO: number } };
  const logger = createLogger({ level: LEVELS.INFO, logCreator: () => relayLog(options.log ?? silentLogger) });
  return (host, port) => {
    const connectionPool = new ConnectionPool({
      host,
      port,
      rack: null,
      ssl: options.ssl === true ? {} : options.ssl || null,
      sasl: options.sasl ?? null,
      clientId: options.clientId,
      socketFactory: openSocket,
      connectionTimeout: milliseconds(options.connectionTimeout ?? CONNECTION_TIMEOUT_MS),
      requestTimeout: milliseconds(options.requestTimeout ?? REQUEST_TIMEOUT_MS),
      enforceRequestTimeout: true,
      maxInFlightRequests: null,
      instrumentationEmitter: null,
      logger,
    });
    const broker = new BrokerClass({ connectionPool, logger, allowAutoTopicCreation: false });
    for (const connection of broker.connectionPool.pool) connectOnce(connection);
    return broker;
  };
}

const JOIN_GROUP = 11;
const { requests } = inner('kafkajs/src/protocol/requests') as { requests: { JoinGroup: object } };

/** `Broker.joinGroup` of kafkajs without its hidden second try, which keeps the member id to itself. */
export function joinGroup(broker: Broker, options: object): Promise<JoinedGroup> {
  return broker.connectionPool.send(broker.lookupRequest(JOIN_GROUP, requests.JoinGroup)(options));
}

/** Drops a broker's sockets at once: what is in flight is rejected, and nothing that still sits in a send buffer is flushed later. */
export function hangUp(broker: Broker, reason: Error): void {
  for (const connection of broker.connectionPool.pool) {
    connection.requestQueue.rejectAll(reason);
    connection.requestQueue.destroy();
    connection.connectionStatus = 'disconnected';
    connection.socket?.destroy(reason); // its error event also ends a connect that is under way
  }
}

function requireKnownClient(): void {
  const { version } = inner('kafkajs/package.json') as { version: string };
  if (version === KAFKAJS_VERSION) return;
  throw new FactlineError({
    code: 'log.client-version',
    kind: 'configuration',
    message: `kafkajs ${version} is installed, and the Kafka driver is built for ${KAFKAJS_VERSION} exactly.`,
    advice: `Install kafkajs@${KAFKAJS_VERSION}: the driver uses inner modules that other versions may change.`,
  });
}

/** kafkajs re-arms a 1 ms timer per connection for ever, 6 % of a core when idle, and Node 24 warns of its negative delay (tulios/kafkajs#1704, #1751). */
function quietRequestQueue(): void {
  const { prototype } = inner('kafkajs/src/network/requestQueue') as { prototype: { scheduleCheckPendingRequests?: PatchedSchedule; pending?: unknown[] } };
  const original = prototype.scheduleCheckPendingRequests;
  if (typeof original !== 'function' || original.quiet) return;
  const schedule: PatchedSchedule = function (this: { pending: unknown[] }) {
    if (this.pending.length > 0) original.call(this);
  };
  schedule.quiet = true;
  prototype.scheduleCheckPendingRequests = schedule;
}

interface PatchedSchedule {
  (this: { pending: unknown[] }): void;
  quiet?: boolean;
}

/** Two requests at once on an idle-closed connection would open two sockets that share one receive buffer. */
function connectOnce(connection: Connection): void {
  const connect = connection.connect.bind(connection);
  let running: Promise<unknown> | undefined;
  connection.connect = () => {
    running ??= connect().finally(() => {
      running = undefined;
    });
    return running;
  };
}

function openSocket(to: { host: string; port: number; ssl: object | null; onConnect: () => void }): net.Socket {
  const { host, port } = to;
  const socket = to.ssl
    ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...to.ssl }, to.onConnect)
    : net.connect({ host, port }, to.onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  socket.setNoDelay(true);
  return socket;
}

/** Each failure is also an error of the call that met it, and is reported there: the client's own log is for debugging. */
function relayLog(log: Logger) {
  return (entry: { namespace: string; log: { message: string; timestamp?: string; logger?: string; stack?: string } }) => {
    const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = entry.log;
    log.debug({ part: entry.namespace, ...fields }, message);
  };
}
