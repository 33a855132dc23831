import { createServer } from 'node:net';
import { FactlineError } from 'factline/kernel';
import { FIRST_PORT, LAST_PORT, PORT_ATTEMPTS } from './limits.js';

const given = new Set<number>();

/** Loopback ports on which nobody listens, none given twice by this process. Another process may still take one before it is used. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt > PORT_ATTEMPTS * count) {
      throw new FactlineError({
        code: 'stack.no-port',
        kind: 'unavailable',
        message: `No free port was found between ${FIRST_PORT} and ${LAST_PORT} on 127.0.0.1.`,
        advice: 'Stop what listens there, or give the ports in the options.',
      });
    }
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
