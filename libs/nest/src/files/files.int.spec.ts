import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { silentLogger } from 'factline/kernel';
import { type World, until, world } from 'factline/testing';
import { type Answer, Context, FactlineModule, Idempotency, RequestContext, type Service, answer, field, openService } from '../index.js';
import { FileBody, type ReceivedFile, TakesFile } from './index.js';

const BYTES = 1_000_000;
/** As many as `FILES_IN_HAND`. */
const AT_ONCE = 16;

class Note {
  @field.text({ max: 1_000_000 }) text!: string;
}

const held: (() => void)[] = [];

@Controller()
class FilesController {
  constructor(private readonly idempotency: Idempotency) {}

  @Post('files')
  @TakesFile({ mediaTypes: ['text/plain', 'application/pdf'], bytes: BYTES })
  take(@FileBody() { content, mediaType, sha256 }: ReceivedFile, @Context() request: RequestContext): Promise<Answer<object>> {
    return this.idempotency.transaction(request, () => Promise.resolve(answer({ bytes: content.length, mediaType, sha256 }, { status: 201 })));
  }

  @Post('held')
  @TakesFile({ mediaTypes: ['text/plain'], bytes: BYTES })
  async hold(@FileBody() { content }: ReceivedFile) {
    await new Promise<void>((resolve) => held.push(resolve));
    return { bytes: content.length };
  }

  @Post('notes')
  note(@Body() { text }: Note) {
    return { characters: text.length };
  }

  @Get('notes')
  none() {
    return {};
  }
}

let here: World;
let service: Service;

beforeAll(async () => {
  here = await world();
  const databaseUrl = await here.database('files');
  @Module({ imports: [FactlineModule.forRoot({ app: 'files', databaseUrl, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl })], controllers: [FilesController] })
  class FilesModule {}
  service = await openService(FilesModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 }, silentLogger);
});

afterAll(async () => {
  for (const go of held) go();
  await service?.close();
  await here?.close();
});

async function send(path: string, body: RequestInit['body'], headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}${path}`, { method: 'POST', headers: { 'content-type': 'text/plain', ...headers }, body: body ?? null, ...(body instanceof ReadableStream && { duplex: 'half' }) } as RequestInit);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

/** A body whose length nobody knows before its end. */
const streamed = (bytes: number) =>
  new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < bytes; sent += 50_000) controller.enqueue(new Uint8Array(Math.min(50_000, bytes - sent)).fill(120));
      controller.close();
    },
  });

it('a file comes as it was sent, up to the limit of its route', async () => {
  const abc = { bytes: 3, mediaType: 'text/plain', sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' };
  expect(await send('/files', 'abc', { 'content-type': 'Text/Plain; charset="UTF-8"' })).toMatchObject({ status: 201, body: abc });
  expect(await send('/files', streamed(BYTES))).toMatchObject({ status: 201, body: { bytes: BYTES } });
  expect(await send('/files', '')).toMatchObject({ status: 201, body: { bytes: 0 } });
});

it.each([
  ['one byte too many, said before', 'x'.repeat(BYTES + 1), {}, 413, 'request.too-large'],
  ['one byte too many, found at the end', () => streamed(BYTES + 1), {}, 413, 'request.too-large'],
  ['another type', '{}', { 'content-type': 'application/json' }, 415, 'request.media-type'],
  ['another encoding', 'x', { 'content-type': 'text/plain;charset=utf-16' }, 415, 'request.media-type'],
  ['something compressed', 'x', { 'content-encoding': 'gzip' }, 415, 'request.media-type'],
] as [string, string | (() => ReadableStream), Record<string, string>, number, string][])('%s is refused', async (_what, body, headers, status, code) => {
  expect(await send('/files', typeof body === 'string' ? body : body(), headers)).toMatchObject({ status, body: { code } });
});

it('all other routes take JSON alone, and no more of it than before', async () => {
  expect(await send('/notes', '{"text":"x"}')).toMatchObject({ status: 415, body: { code: 'request.media-type' } });
  expect(await send('/notes', JSON.stringify({ text: 'x'.repeat(300_000) }), { 'content-type': 'application/json' })).toMatchObject({ status: 413 });
  expect(await send('/notes', '{"text":"x"}', { 'content-type': 'application/json' })).toMatchObject({ status: 201, body: { characters: 1 } });
  expect((await fetch(`${service.url}/notes`)).status).toBe(200);
});

it('a repeated key is for the same bytes of the same type', async () => {
  const key = { 'idempotency-key': 'k-1' };
  const first = await send('/files', 'abc', key);
  expect(await send('/files', 'abc', key)).toMatchObject({ status: 201, body: first.body });
  expect(await send('/files', 'abd', key)).toMatchObject({ status: 422, body: { code: 'idempotency.key-reused' } });
  expect(await send('/files', 'abc', { ...key, 'content-type': 'application/pdf' })).toMatchObject({ status: 422, body: { code: 'idempotency.key-reused' } });
});

it('so many files are in memory at once, and no more; a client that goes away leaves room', async () => {
  const gone = new AbortController();
  const others = Array.from({ length: AT_ONCE - 1 }, () => send('/held', 'abc'));
  const one = fetch(`${service.url}/held`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'abc', signal: gone.signal });
  await until('all to be held', () => held.length === AT_ONCE);
  expect(await send('/files', 'abc')).toMatchObject({ status: 503, body: { code: 'request.files' } });
  expect((await send('/notes', '{"text":"x"}', { 'content-type': 'application/json' })).status).toBe(201);
  gone.abort();
  await expect(one).rejects.toMatchObject({ name: 'AbortError' });
  await until('room for one', async () => (await send('/files', 'abc')).status === 201);
  for (const go of held.splice(0)) go();
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array.from({ length: AT_ONCE - 1 }, () => 201));
});

it('OpenAPI shows what a route takes', async () => {
  const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: Record<string, { post: { requestBody: { content: object } } }> };
  expect(Object.keys(paths['/files']!.post.requestBody.content)).toEqual(['text/plain', 'application/pdf']);
});
