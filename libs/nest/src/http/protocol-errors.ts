import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { formatId, newId } from 'factline/kernel';

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What is no HTTP never reaches a handler; Node answers it with a status line alone. Here it is a problem document, like every refusal. */
export function answerProtocolErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(problemMessage(STATUS[error.code ?? ''] ?? 400));
  });
  server.on('checkExpectation', (_request, response) => {
    const body = problem(417);
    response.writeHead(417, { 'content-type': 'application/problem+json; charset=utf-8', 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
  });
}

function problem(status: number): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return JSON.stringify({ type: `urn:factline:problem:http.${status}`, title, status, code: `http.${status}`, detail: 'The request cannot be read.', correlationId: formatId(newId()) });
}

function problemMessage(status: number): string {
  const body = problem(status);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`, 'Connection: close', 'Content-Type: application/problem+json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}
