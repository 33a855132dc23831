import { createServer } from 'node:net';

/** Below the ports from which systems dial: a client that dials a closed port of that range may be given this very port, and be connected to itself. */
const [FIRST_PORT, PORTS] = [12_000, 7_000];
const PORT_ATTEMPTS = 50;

/** A loopback port on which nobody listens, and to which nobody is connected by accident while nobody does. */
export async function lowPort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port was found in ${PORT_ATTEMPTS} attempts.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
