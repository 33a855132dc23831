import { type Stack, type StackOptions, startStack } from 'factline/stack';
import { FaultProxy } from './fault-proxy.js';
import { lowPort } from './low-port.js';

/** A stack of a spec's own, whose brokers are reached through proxies. */
export interface ProxiedStack extends Stack {
  readonly parts: NonNullable<Stack['parts']>;
  /** One a broker, in their order. */
  readonly proxies: readonly FaultProxy[];
}

/** Starts from packages; `stop` closes the proxies too. */
export async function startProxiedStack(brokers: 1 | 3, options: StackOptions = {}): Promise<ProxiedStack> {
  const ports = await Promise.all(Array.from({ length: brokers }, () => lowPort()));
  const proxies = await Promise.all(ports.map((port) => FaultProxy.to(`127.0.0.1:${port}`)));
  const close = () => Promise.all(proxies.map((proxy) => proxy.close()));
  const addresses = proxies.map(({ address }) => address);
  try {
    const stack = await startStack({ ...options, from: 'packages', brokers, ports: { ...options.ports, kafka: ports }, advertisedKafka: addresses });
    return {
      ...stack,
      kafka: addresses,
      parts: stack.parts!,
      proxies,
      stop: async () => {
        await close();
        await stack.stop();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Kafka's request for storing records, by its number at the beginning of the frame. */
export const isProduce = (request: Buffer): boolean => request.length > 6 && request.readInt16BE(4) === 0;
