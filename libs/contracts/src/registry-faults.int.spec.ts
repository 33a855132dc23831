import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchemaRegistry } from './index.js';

/** A registry that answers as told: what a real one does on a bad day. */
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: { url: string; authorization: string | undefined }[];
let url: string;

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push({ url: `${request.method} ${request.url}`, authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function json(status: number, body: unknown): typeof answer {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const found = json(200, { schema: JSON.stringify({ type: 'record', name: 'A', namespace: 'x', fields: [] }) });

describe('a registry that', () => {
  it('hangs is given up on in time', async () => {
    answer = () => undefined;
    const registry = new SchemaRegistry({ url, timeout: 100 });
    await expect(registry.byId(1)).rejects.toMatchObject({ code: 'registry.unavailable', retry: true });
    await expect(registry.register('x.A', { type: 'record' })).rejects.toMatchObject({ code: 'registry.unavailable' });
  });

  it('hangs after the first byte is given up on in time', async () => {
    answer = (_request, response) => void response.writeHead(200).write('{');
    await expect(new SchemaRegistry({ url, timeout: 100 }).byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
  });

  it.each([
    [401, 'registry.unauthorized', 'configuration'],
    [404, 'registry.schema-unknown', 'not-found'],
    [422, 'registry.refused', 'invalid'],
    [500, 'registry.unavailable', 'unavailable'],
    [503, 'registry.unavailable', 'unavailable'],
  ])('answers %d: %s', async (status, code, kind) => {
    answer = json(status, { error_code: status, message: 'because' });
    await expect(new SchemaRegistry({ url }).byId(1)).rejects.toMatchObject({ code, kind });
  });

  it('resets or refuses connections is unavailable, not invalid', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(new SchemaRegistry({ url }).byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
    await expect(new SchemaRegistry({ url: 'http://127.0.0.1:1' }).byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
    await expect(new SchemaRegistry({ url: 'http://127.0.0.1:1' }).register('x.A', {})).rejects.toMatchObject({ code: 'registry.unavailable' });
  });

  it('answers 404 is believed for a while, one that failed is asked again', async () => {
    const registry = new SchemaRegistry({ url });
    answer = json(500, {});
    await expect(registry.byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
    answer = json(404, {});
    for (let i = 0; i < 3; i++) await expect(registry.byId(1)).rejects.toMatchObject({ code: 'registry.schema-unknown' });
    expect(requests).toHaveLength(2);
  });

  it('is asked once by many at once, with the credentials', async () => {
    answer = found;
    const registry = new SchemaRegistry({ url: `${url}/`, auth: { username: 'u', password: 'p' } });
    await Promise.all(Array.from({ length: 20 }, () => registry.byId(1)));
    expect(requests).toEqual([{ url: 'GET /schemas/ids/1', authorization: `Basic ${Buffer.from('u:p').toString('base64')}` }]);
  });

  it('knows no level for a subject is given one before the first registration', async () => {
    const put: string[] = [];
    answer = (request, response) => {
      if (request.method === 'PUT') put.push('level');
      const status = request.method === 'GET' && put.length === 0 ? 404 : 200;
      const body = request.url?.startsWith('/config') ? { compatibilityLevel: 'FULL_TRANSITIVE' } : { id: 5 };
      json(status, body)(request, response);
    };
    const registry = new SchemaRegistry({ url, auth: { username: 'u', password: 'p' } });
    expect(await registry.register('x.A', { type: 'record', name: 'A', namespace: 'x', fields: [] })).toBe(5);
    expect(requests.map((request) => request.url)).toEqual(['GET /config/x.A', 'PUT /config/x.A', 'GET /config/x.A', 'POST /subjects/x.A/versions']);
    expect(new Set(requests.map((request) => request.authorization)).size).toBe(1);
  });
});
