import { Commands } from 'factline/commands';
import { SERVICE_CONFIG, type Service, openService } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import type { DocumentState } from './document-state.js';
import { DocumentsModule } from './documents.module.js';
import { DocumentsRepository } from './documents.repository.js';
import { Parser } from './parser.js';
import { pdfOf } from './pdf.spec.support.js';
import type { Found } from './search.repository.js';

const ADMIN_TOKEN = 'a-token-nobody-guesses';
let here: World;
let service: Service;
let store: Store;
let made = 0;

beforeAll(async () => {
  here = await world();
  const settings = { DOCUMENTS_DATABASE_URL: await here.database('documents'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent', DOCUMENTS_PAGES: '3', ADMIN_TOKEN, ADMIN_PORT: '0' };
  service = await openService(DocumentsModule, readConfig(settings));
  store = service.app.get(Store);
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

/** A word that is in no other document. */
const word = (kind = 'word') => `${kind}${++made}`;

async function ask(method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}${path}`, { method, headers: { 'content-type': 'text/plain', ...headers }, ...(body !== undefined && { body: Buffer.from(body) }) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}
const PDF = { 'content-type': 'application/pdf' };
async function uploaded(content: string | Buffer, { headers = {}, language = 'simple' }: { headers?: Record<string, string>; language?: string } = {}): Promise<string> {
  const answer = await ask('POST', `/documents?name=a%20file&language=${language}`, content, headers);
  expect(answer.status).toBe(202);
  return answer.body['id'] as string;
}
const stateOf = async (id: string) => (await ask('GET', `/documents/${id}`)).body as unknown as DocumentState;
const reached = (id: string, wanted: DocumentState['state']) =>
  until(`document ${id} to be ${wanted}`, async () => {
    const state = await stateOf(id);
    return state.state === wanted ? state : undefined;
  });
const search = async (q: string, limit = 10) => (await ask('GET', `/search?q=${encodeURIComponent(q)}&limit=${limit}`)).body['items'] as Found[];
const letters = async (id: string) => (await store.query<{ code: string }>('select code from documents_work.dead_letter where key = $1 order by record_offset', [`documents/${id}`])).rows.map(({ code }) => code);
const factsOf = async (id: string) => (await store.query<{ n: number }>("select count(*)::integer as n from factline.outbox where key = $1 and topic = 'documents.document'", [id])).rows[0]!.n;

async function requeue(id: string): Promise<void> {
  const answer = await fetch(`${service.adminUrl}/dead-letters/documents_work/requeue`, { method: 'POST', headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }, body: JSON.stringify({ key: `documents/${id}`, by: 'lea' }) });
  expect(answer.status).toBe(202);
}

/** The states of a document as they come; the answer is all of them. */
async function follow(id: string, seen: DocumentState[] = []): Promise<DocumentState[]> {
  const response = await fetch(`${service.url}/documents/${id}/events`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString('utf8');
    seen.splice(0, seen.length, ...[...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!) as DocumentState));
  }
  return seen;
}

describe('a document', () => {
  it('is found by its words, in its language, with the page and plain excerpts', async () => {
    const [zebra, lion] = [word('zebra'), word('lion')];
    const text = await uploaded(`1 < 2 & the ${zebra} ⟦runs⟧.\n\nThe ${lion} sleeps.`);
    const pdf = await uploaded(pdfOf([`The ${lion} ran.`, `All ${zebra} were running.`]), { headers: PDF, language: 'english' });
    expect(await reached(text, 'indexed')).toMatchObject({ name: 'a file', language: 'simple', mediaType: 'text/plain', version: 1, pages: 1, chunks: 1, progress: { share: 1 }, problem: null });
    expect(await reached(pdf, 'indexed')).toMatchObject({ mediaType: 'application/pdf', pages: 2, chunks: 2, characters: `The ${lion} ran.All ${zebra} were running.`.length });
    const found = await search(zebra);
    expect(found.map(({ documentId }) => documentId).toSorted()).toEqual([text, pdf].toSorted());
    expect(found.find(({ documentId }) => documentId === text)!.excerpts).toEqual([{ page: 1, text: expect.stringContaining(`1 < 2 & the ⟦${zebra}⟧ [runs]`) as string }]);
    expect(found.find(({ documentId }) => documentId === pdf)!.excerpts).toEqual([{ page: 2, text: `All ⟦${zebra}⟧ were running.` }]);
    expect((await search(`${zebra} run`)).map(({ documentId }) => documentId)).toEqual([pdf]); // running, in English
    expect((await search(`"the ${lion}"`, 1)).length).toBe(1);
    expect(await search(`${zebra} -${zebra}`)).toEqual([]);
    expect([await factsOf(text), await factsOf(pdf)]).toEqual([2, 2]);
  });

  it('is watched over all of its stages until it is indexed', async () => {
    const [parser, documents] = [service.app.get(Parser), service.app.get(DocumentsRepository)];
    const [parse, takePages, index] = [parser.parse.bind(parser), documents.takePages.bind(documents), documents.index.bind(documents)];
    const seen: DocumentState[] = [];
    /** Each stage is held until whoever watches was told of it. */
    const told = (stage: string, share: number) => until(`${stage} to be told`, () => seen.some((each) => each.state === 'running' && each.stage === stage && each.progress.share.toFixed(2) === share.toFixed(2)));
    parser.parse = async (content, mediaType, run) => {
      run.progress(1, 2);
      await told('PARSE', 1 / 6);
      return parse(content, mediaType, run);
    };
    documents.takePages = async (...asked) => {
      await told('CHUNK', 1 / 3);
      return takePages(...asked);
    };
    documents.index = async (...asked) => {
      await told('INDEX', 2 / 3);
      return index(...asked);
    };
    const id = await uploaded(pdfOf(['one', word()]), { headers: PDF });
    await follow(id, seen);
    Object.assign(parser, { parse });
    Object.assign(documents, { takePages, index });
    expect(seen.find(({ progress }) => progress.text !== null)).toMatchObject({ progress: { text: 'page 1 of 2' } });
    expect(seen.at(-1)).toMatchObject({ id, state: 'indexed', stage: 'INDEXED', progress: { share: 1 } });
    const shares = seen.map(({ progress }) => progress.share);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect((await follow(id)).map(({ state }) => state)).toEqual(['indexed']);
  });

  it('is one, however often it is uploaded', async () => {
    const [content, key] = [word(), { 'idempotency-key': word('key') }];
    const first = await ask('POST', '/documents?name=one', content, key);
    expect(await ask('POST', '/documents?name=one', content, key)).toMatchObject({ status: 202, body: first.body });
    expect(await ask('POST', '/documents?name=two', content)).toMatchObject({ status: 200, body: { id: first.body['id'] } });
    expect(await ask('POST', '/documents?name=one', `${content}!`, key)).toMatchObject({ status: 422, body: { code: 'idempotency.key-reused' } });
    await reached(first.body['id'] as string, 'indexed');
    expect((await search(content)).map(({ name }) => name)).toEqual(['one']);
  });

  it('is nothing at all when the transaction fails', async () => {
    const commands = service.app.get(Commands);
    const [content, send] = [word(), commands.send];
    commands.send = () => Promise.reject(new Error('broken behind the row and the fact'));
    const headers = { 'x-correlation-id': content };
    expect((await ask('POST', '/documents?name=x', content, headers)).status).toBe(500);
    commands.send = send;
    const rows = async () => (await store.query('select from document where name = $1', ['x'])).rowCount;
    expect(await rows()).toBe(0);
    expect((await ask('POST', '/documents?name=x', content)).status).toBe(202); // the negative control
    expect(await rows()).toBe(1);
  });

  it('is replaced while it is parsed: nothing of the old is written behind that', async () => {
    const [old, fresh] = [word('old'), word('fresh')];
    const parser = service.app.get(Parser);
    const parse = parser.parse.bind(parser);
    let parsed: (() => void) | undefined;
    parser.parse = async (...asked) => {
      const result = await parse(...asked);
      parser.parse = parse;
      await new Promise<void>((resolve) => (parsed = resolve));
      return result;
    };
    const id = await uploaded(old);
    await until('the old one to be parsed', () => parsed !== undefined);
    expect(await ask('PUT', `/documents/${id}/content`, fresh)).toMatchObject({ status: 202, body: { id, version: 2 } });
    parsed!();
    expect(await reached(id, 'indexed')).toMatchObject({ version: 2 });
    expect([(await search(old)).length, (await search(fresh)).length, await factsOf(id)]).toEqual([0, 1, 3]);
    expect(await ask('PUT', `/documents/${id}/content`, fresh)).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await ask('PUT', `/documents/${id}/content`, word('third'))).status).toBe(202);
    expect(await search(fresh)).toEqual([]);
    await reached(id, 'indexed');
  });
});

describe('a file that is no document', () => {
  it.each([
    ['document.not-a-pdf', () => Buffer.from(`no PDF ${word()}`)],
    ['document.encrypted', () => pdfOf([word()], { encrypted: true })],
    ['document.no-text', () => pdfOf(['', ' '.repeat(++made)])],
  ])('fails (%s), is stated, blocks nothing, and is mended by other content', async (code, content) => {
    const id = await uploaded(content(), { headers: PDF });
    expect(await reached(id, 'failed')).toMatchObject({ stage: 'FAILED', problem: { code } });
    expect((await follow(id)).map(({ state }) => state)).toEqual(['failed']);
    expect([await factsOf(id), await letters(id)]).toEqual([2, []]);
    const better = word('better');
    expect((await ask('PUT', `/documents/${id}/content`, pdfOf([better]), PDF)).status).toBe(202);
    await reached(id, 'indexed');
    expect([(await search(better)).length, await factsOf(id)]).toEqual([1, 4]);
  });
});

describe('a file that an operator has to look at', () => {
  it('holds back its document alone, and is finished after it was replaced and requeued', async () => {
    const [strange, other] = [await uploaded(Buffer.from(`Größe ${word()}`, 'latin1')), await uploaded(word('other'))];
    expect(await reached(strange, 'stuck')).toMatchObject({ stage: 'PARSE', problem: { code: 'document.not-utf8', advice: expect.stringContaining('requeue') as string } });
    await reached(other, 'indexed');
    expect((await follow(strange)).map(({ state }) => state)).toEqual(['stuck']);
    const mended = word('mended');
    await ask('PUT', `/documents/${strange}/content`, mended);
    expect(await reached(strange, 'stuck')).toMatchObject({ version: 2 });
    const watched = follow(strange); // it waits behind the dead letter, and goes on
    await requeue(strange);
    expect((await watched).at(-1)).toMatchObject({ state: 'indexed', version: 2 });
    expect([(await search(mended)).length, await letters(strange), await factsOf(strange)]).toEqual([1, [], 3]);
  });

  it('is finished after a setting was changed and its key requeued', async () => {
    const last = word('last');
    const id = await uploaded(pdfOf(['1', '2', '3', last]), { headers: PDF });
    expect(await reached(id, 'stuck')).toMatchObject({ problem: { code: 'document.too-many-pages' } });
    expect(await letters(id)).toEqual(['document.too-many-pages']);
    const config = service.app.get<{ pages: number }>(SERVICE_CONFIG);
    config.pages = 4;
    await requeue(id);
    expect(await reached(id, 'indexed')).toMatchObject({ pages: 4 });
    config.pages = 3;
    expect((await search(last)).map(({ excerpts }) => excerpts[0]!.page)).toEqual([4]);
  });

  it('is cancelled by whoever uploaded it, and is left out when other content was put in its place and its key is requeued', async () => {
    const id = await uploaded(Buffer.from(`Größe ${word()}`, 'latin1'));
    const { job } = await reached(id, 'stuck');
    expect((await fetch(`${service.url}/jobs/${job}`, { method: 'DELETE' })).status).toBe(204);
    expect(await stateOf(id)).toMatchObject({ state: 'cancelled' });
    const content = word();
    await ask('PUT', `/documents/${id}/content`, content);
    await reached(id, 'stuck');
    await requeue(id);
    await reached(id, 'indexed');
    expect((await search(content)).length).toBe(1);
  });
});

describe('a stage that fails behind its last write, and is run again', () => {
  const indexedOnce = async (add: (real: FactOutbox['add'], ...asked: Parameters<FactOutbox['add']>) => ReturnType<FactOutbox['add']>) => {
    const outbox = service.app.get(FactOutbox);
    const real = outbox.add.bind(outbox);
    let failed = false;
    outbox.add = async (tx, fact) => {
      if (failed || fact.type.factName !== 'documents.DocumentIndexed') return real(tx, fact);
      failed = true;
      await add(real, tx, fact);
      throw new TypeError('the process was killed here');
    };
    const content = word();
    const id = await uploaded(content);
    await reached(id, 'indexed');
    outbox.add = real;
    expect([failed, (await search(content)).length]).toEqual([true, 1]);
    return (await factsOf(id)) - 1;
  };

  it('states once that the document is indexed', async () => {
    expect(await indexedOnce((real, tx, fact) => real(tx, fact))).toBe(1);
  });

  it('control: outside of the transaction of the command it would be stated twice', async () => {
    expect(await indexedOnce((real, _tx, fact) => store.transaction((other) => real(other, fact)))).toBe(2);
  });
});

describe('a request that is no upload', () => {
  it.each([
    ['another type', 'POST', '/documents?name=x', 'x', { 'content-type': 'application/msword' }, 415],
    ['JSON', 'POST', '/documents?name=x', '{}', { 'content-type': 'application/json' }, 415],
    ['text that says it is in another encoding', 'POST', '/documents?name=x', 'x', { 'content-type': 'text/plain; charset=latin1' }, 415],
    ['a compressed file', 'POST', '/documents?name=x', 'x', { 'content-encoding': 'gzip' }, 415],
    ['a file that is too large', 'POST', '/documents?name=x', Buffer.alloc(10 * 1024 * 1024 + 1, 'x'), {}, 413],
    ['an empty file', 'POST', '/documents?name=x', '', {}, 400],
    ['no name', 'POST', '/documents', 'x', {}, 400],
    ['an unknown language', 'POST', '/documents?name=x&language=latin', 'x', {}, 400],
    ['content for a document that is not there', 'PUT', '/documents/00000000-0000-7000-8000-000000000000/content', word(), {}, 404],
    ['content for no document', 'PUT', '/documents/nonsense/content', 'x', {}, 400],
    ['a state of nothing', 'GET', '/documents/00000000-0000-7000-8000-000000000000', undefined, {}, 404],
    ['events of nothing', 'GET', '/documents/00000000-0000-7000-8000-000000000000/events', undefined, {}, 404],
    ['no question', 'GET', '/search', undefined, {}, 400],
    ['too many results', 'GET', '/search?q=x&limit=51', undefined, {}, 400],
  ] as [string, string, string, string | Buffer | undefined, Record<string, string>, number][])('%s is refused with a problem', async (_what, method, path, body, headers, status) => {
    expect(await ask(method, path, body, headers)).toMatchObject({ status, body: { status } });
  });

  it('content that another document has is a conflict', async () => {
    const content = word();
    const [one, other] = [await uploaded(content), await uploaded(word())];
    expect(await ask('PUT', `/documents/${other}/content`, content)).toMatchObject({ status: 409, body: { code: 'document.known', detail: expect.stringContaining(one) as string } });
  });
});

it('documents are listed page by page in the order of their uploads', async () => {
  const seen: string[] = [];
  for (let query: string | null = '?limit=4'; query !== null; ) {
    const { body } = await ask('GET', `/documents${query}`);
    seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
    query = body['next'] === null ? null : `?limit=4&cursor=${body['next'] as string}`;
  }
  expect(seen.length).toBeGreaterThan(10);
  expect(seen).toEqual([...new Set(seen)].toSorted());
});
