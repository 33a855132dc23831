import { connect } from 'node:net';
import type { WireRequest } from './requests.js';

export interface WireAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** Sends bytes, not what a client library makes of them. Answers undefined when no whole answer came in time, or the connection was closed without one. */
export function exchange(url: string, { method, headers, body }: Omit<WireRequest, 'target' | 'route'>, target: string, boundMs: number): Promise<WireAnswer | undefined> {
  const { hostname, port } = new URL(url);
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: close', ...headers.map(([name, value]) => `${name}: ${value}`), ...(body ? [`Content-Length: ${body.length}`] : []), '', ''];
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const received: Buffer[] = [];
    const end = (answer: WireAnswer | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), boundMs);
    socket.on('error', () => end(answerIn(Buffer.concat(received)))); // a server may answer and close before it has read everything
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      const sofar = answerIn(Buffer.concat(received));
      if (sofar?.contentType.startsWith('text/event-stream')) end(sofar); // it never ends by itself
    });
    socket.on('close', () => end(answerIn(Buffer.concat(received))));
    socket.write(Buffer.concat([Buffer.from(lines.join('\r\n'), 'utf8'), body ?? Buffer.alloc(0)]));
  });
}

/** The last status line counts: 100 and 103 may go before it. */
function answerIn(bytes: Buffer): WireAnswer | undefined {
  let rest = bytes.toString('utf8');
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [statusLine, ...headers] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine!)?.[1]);
    rest = rest.slice(end + 4);
    if (status >= 100 && status < 200 && status !== 101) continue;
    const contentType = headers.find((line) => line.toLowerCase().startsWith('content-type:'))?.slice('content-type:'.length).trim() ?? '';
    return { status, contentType, body: rest };
  }
}
