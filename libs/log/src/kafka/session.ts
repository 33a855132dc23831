import { FactlineError, backoffMs, messageOf, pause } from 'factline/kernel';
import { ATTEMPTS_MAX, RETRY_DELAY_MAX_MS, RETRY_DELAY_MS } from '../limits.js';
import { type Broker, type BrokerFactory, type ProtocolRequest, hangUp } from './client.js';
import { Code, refusedByBroker, wrapped } from './errors.js';
import type { Exchange } from './exchange.js';
import { type ClusterView, metadataRequest } from './metadata.js';

/**
 * The connections of one activity (a publisher, a subscription, a reader): a broker answers one request of a connection after the other, so a long
 * poll would hold up everybody who shares it. Knows leaders only as of the last look; whoever is told that a leader is wrong looks again.
 */
export class Session {
  readonly #known = new Map<string, Broker>();
  #addresses = new Map<number, { host: string; port: number }>();
  #seed = 0;
  #closed = false;

  constructor(
    private readonly make: BrokerFactory,
    private readonly seeds: readonly string[],
  ) {}

  /** Asks any broker about topics. An unknown topic is answered with its error code, not thrown. */
  async look(topics: readonly string[]): Promise<ClusterView> {
    const view = await this.#exchange(await this.#anyBroker(), metadataRequest(topics));
    this.#addresses = new Map(view.brokers.map(({ id, host, port }) => [id, { host, port }]));
    return view;
  }

  /** Sends a request to one broker by id. Whatever fails there also drops the connection to it: the next call starts afresh. */
  async ask<T>(node: number, exchange: Exchange<T>): Promise<T> {
    return this.#exchange(await this.broker(node), exchange);
  }

  async broker(node: number): Promise<Broker> {
    const address = this.#addresses.get(node);
    if (!address) throw unavailable(`Broker ${node} is not in the last metadata.`);
    return this.brokerAt(address.host, address.port);
  }

  async brokerAt(host: string, port: number): Promise<Broker> {
    if (this.#closed) throw unavailable('The connections to the brokers are closed.');
    const address = `${host}:${port}`;
    const known = this.#known.get(address) ?? this.make(host, port);
    this.#known.set(address, known);
    if (known.isConnected()) return known;
    try {
      await known.connect();
    } catch (error) {
      this.drop(known, error);
      throw wrapped(error, `Connecting to the broker ${address}`);
    }
    if (this.#closed) hangUp(known, new Error('closed'));
    return known;
  }

  /** Hangs up on one broker; the next use connects again. */
  drop(broker: Broker, reason: unknown): void {
    const { host, port } = broker.connectionPool;
    if (this.#known.get(`${host}:${port}`) === broker) this.#known.delete(`${host}:${port}`);
    hangUp(broker, reason instanceof Error ? reason : new Error(messageOf(reason)));
  }

  /** Hangs up on all brokers at once; requests in flight are rejected. */
  close(): void {
    this.#closed = true;
    for (const broker of this.#known.values()) hangUp(broker, new Error('The connections to the brokers were closed.'));
    this.#known.clear();
  }

  async #anyBroker(): Promise<Broker> {
    for (const broker of this.#known.values()) if (broker.isConnected()) return broker;
    const addresses = [...[...this.#addresses.values()].map(({ host, port }) => `${host}:${port}`), ...this.seeds];
    let failure: unknown = unavailable('No broker address is configured.');
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[this.#seed++ % addresses.length]!;
      const colon = address.lastIndexOf(':');
      try {
        return await this.brokerAt(address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1)));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #exchange<T>(broker: Broker, exchange: Exchange<T>): Promise<T> {
    const range = broker.versions?.[exchange.api];
    if (!range || range.minVersion > exchange.version || range.maxVersion < exchange.version) {
      throw new FactlineError({
        code: 'log.broker-unsupported',
        kind: 'configuration',
        message: `The broker ${broker.connectionPool.host}:${broker.connectionPool.port} does not speak ${exchange.name} version ${exchange.version}.`,
        advice: 'Use Apache Kafka 3.1 or later.',
      });
    }
    try {
      return await broker.connectionPool.send(protocolRequest(exchange));
    } catch (error) {
      this.drop(broker, error);
      throw wrapped(error, `${exchange.name} at ${broker.connectionPool.host}:${broker.connectionPool.port}`);
    }
  }
}

/** Repeats what may fail while leaders move, until it succeeds, fails for good or has failed `ATTEMPTS_MAX` times in a row. */
export async function persistently<T>(attempt: () => Promise<T>, abort?: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const retry = error instanceof FactlineError ? error.retry : true;
      if (!retry || failures >= ATTEMPTS_MAX || abort?.aborted) throw error;
      await pause(retryDelayMs(failures), abort);
    }
  }
}

export function retryDelayMs(failures: number): number {
  return backoffMs(failures, { delay: RETRY_DELAY_MS, maxDelay: RETRY_DELAY_MAX_MS });
}

/** Leaders by partition number; a topic or partition that cannot be used now is thrown as what it is. */
export function leadersOf(view: ClusterView, topic: string): { id: string; leaders: number[] } {
  const found = view.topics.find(({ name }) => name === topic);
  if (!found || found.errorCode !== Code.none) throw refusedByBroker(found?.errorCode ?? Code.unknownTopicOrPartition, `Looking up the topic '${topic}'`, topic);
  const leaders: number[] = [];
  for (const { partition, leader } of found.partitions) leaders[partition] = leader;
  return { id: found.id, leaders };
}

function protocolRequest<T>(exchange: Exchange<T>): ProtocolRequest<T> {
  const { api, version, name, body, read } = exchange;
  return {
    request: { apiKey: api, apiVersion: version, apiName: name, encode: async () => ({ buf: body, buffer: body }) },
    response: {
      decode: async (payload) => ({ clientSideThrottleTime: 0, value: read(payload) }),
      parse: async ({ value }) => value,
    },
  };
}

function unavailable(message: string): FactlineError {
  return new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message, advice: 'Check that the brokers run and that their advertised addresses are reachable from here.' });
}
