import { connect } from 'node:net';
import { messageOf } from 'factline/kernel';
import { PROBE_ANSWER_BYTES, PROBE_TIMEOUT_MS } from './limits.js';

/** Asks a service whether it serves: undefined when it does, else what is wrong. Never throws. */
export type Probe = () => Promise<string | undefined>;

/**
 * Kafka: a Metadata request (version 5) is answered, knows a controller, and names as many brokers as there should be.
 * Protocol: kafka.apache.org/protocol, Metadata API.
 */
export function kafkaProbe(address: string, brokers: number): Probe {
  return quietly(async () => {
    const body = await exchange(address, metadataRequest(), (answer) => answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0));
    const { known, controller } = readMetadata(body);
    if (controller < 0) return `${address} knows no controller`;
    return known >= brokers ? undefined : `${address} knows ${known} of ${brokers} brokers`;
  });
}

/** Postgres: the startup packet is answered with an authentication request ('R'), not with an error such as 57P03 (starting up). */
export function postgresProbe(address: string): Probe {
  return quietly(async () => {
    const answer = await exchange(address, startupPacket('postgres', 'postgres'), (bytes) => bytes.length >= 5);
    return answer[0] === 'R'.charCodeAt(0) ? undefined : `${address} refuses connections as yet`;
  });
}

/** The registry lists its subjects. */
export function registryProbe(registryUrl: string): Probe {
  return quietly(async () => {
    const answer = await fetch(`${registryUrl}/subjects`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await answer.arrayBuffer();
    return answer.ok ? undefined : `${registryUrl} answers ${answer.status}`;
  });
}

function quietly(probe: Probe): Probe {
  return async () => {
    try {
      return await probe();
    } catch (error) {
      const { cause } = error as { cause?: unknown }; // fetch says only that it failed, and keeps the reason here
      return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`;
    }
  };
}

function exchange(address: string, request: Buffer, complete: (answer: Buffer) => boolean): Promise<Buffer> {
  const colon = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0);
    const socket = connect({ host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => fail(new Error(`${address} did not answer within ${PROBE_TIMEOUT_MS} ms`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error(`${address} closed the connection`)));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > PROBE_ANSWER_BYTES) return fail(new Error(`${address} answered more than ${PROBE_ANSWER_BYTES} bytes`));
      if (!complete(answer)) return;
      socket.removeAllListeners('close');
      socket.destroy();
      resolve(answer);
    });
  });
}

function metadataRequest(): Buffer {
  const clientId = 'factline-stack';
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4 + 1);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(5, 6); // version
  request.writeInt32BE(1, 8); // correlation id
  request.writeInt16BE(clientId.length, 12);
  request.write(clientId, 14);
  request.writeInt32BE(0, 14 + clientId.length); // no topics
  return request; // the last byte, 0: create no topics
}

function readMetadata(answer: Buffer): { known: number; controller: number } {
  let at = 12; // length, correlation id, throttle time
  const skipText = () => {
    const length = answer.readInt16BE(at);
    at += 2 + Math.max(length, 0);
  };
  const known = answer.readInt32BE(at);
  at += 4;
  for (let broker = 0; broker < known; broker++) {
    at += 4; // node id
    skipText(); // host
    at += 4; // port
    skipText(); // rack
  }
  skipText(); // cluster id
  return { known, controller: answer.readInt32BE(at) };
}

function startupPacket(user: string, database: string): Buffer {
  const parameters = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + parameters.length, 0);
  head.writeInt32BE(196_608, 4); // protocol 3.0
  return Buffer.concat([head, parameters]);
}
