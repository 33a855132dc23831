import { until } from 'factline/testing';
import { pdfOf } from '../apps/documents/src/pdf.spec.support.js';
import { type DocumentSeen, DocumentsClient } from './support/documents-client.js';
import { type StatedFact, byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { inParallel } from './support/hr-client.js';

const DOCUMENTS = 16;
const PAGES = 3;
/** No more than those have. */
const FEW_PAGES = { DOCUMENTS_PAGES: String(PAGES) };

let here: Estate;
let documents: App;
let client: DocumentsClient;
/** Words that are in one document each, and its id. */
const ids = new Map<string, string>();

/** On the last page of every second one, which is a PDF. */
function contentOf(word: string, nth: number): string | Buffer {
  const pages = [`Document ${word}`, 'Nothing is said here.', `The word is ${word}x.`];
  return nth % 2 === 0 ? pdfOf(pages) : pages.join('\n\n');
}

beforeAll(async () => {
  here = await estate({ apps: ['documents'] });
  documents = await here.start('documents', FEW_PAGES);
  client = new DocumentsClient(documents.url);
});

afterAll(() => here?.close());

const wordOf = (nth: number) => `${here.prefix.replaceAll('-', '')}w${nth}`;
const indexed = async () => (await here.store('documents').query("select from document where stage = 'INDEXED'")).rowCount;
const letters = (...args: string[]) => here.factline(['dead-letters', args[0]!, 'documents_work', '--app', 'documents', ...args.slice(1)]);

/** The facts of these documents as they lie in the topic, in order, without what a crash made the relay repeat. */
async function facts(wanted: readonly string[]): Promise<Map<string, StatedFact[]>> {
  const all = (await statedFacts({ world: here.world, prefix: '' }, 'documents.document')).filter(({ key }) => wanted.includes(key));
  return new Map([...byKey(all)].map(([key, stated]) => [key, withoutRepetitions(stated)]));
}

/** What is wrong with documents that were uploaded once: each is stated to be uploaded and indexed, once, and is found once by its word. */
function faults(wanted: ReadonlyMap<string, string>, stated: ReadonlyMap<string, readonly Pick<StatedFact, 'name'>[]>, found: ReadonlyMap<string, readonly string[]>): string[] {
  return [...wanted].flatMap(([word, id]) => {
    const names = (stated.get(id) ?? []).map(({ name }) => name).join(', ');
    const by = (found.get(word) ?? []).join(', ');
    return [...(names === 'documents.DocumentUploaded, documents.DocumentIndexed' ? [] : [`${word}: stated ${names}`]), ...(by === id ? [] : [`${word}: found ${by}`])];
  });
}

it('documents are indexed once each, though the app is killed with -9 again and again, and whoever watches is told', async () => {
  const told = new Map<string, DocumentSeen[]>();
  await inParallel(Array.from({ length: DOCUMENTS }, (_, nth) => nth), 4, async (nth) => {
    ids.set(wordOf(nth), await client.upload(`${wordOf(nth)}`, contentOf(wordOf(nth), nth)));
  });
  const watching = [...ids.values()].map(async (id) => {
    told.set(id, []);
    return client.watch(id, (seen) => told.get(id)!.push(seen));
  });
  for (const reached of [1, 4]) {
    await until(`${reached} to be indexed`, async () => (await indexed()) >= reached, 90_000);
    await documents.program.stop('SIGKILL');
    expect(await indexed()).toBeLessThan(DOCUMENTS); // it was in the middle
    documents = await here.start('documents', FEW_PAGES);
  }
  expect((await Promise.all(watching)).map(({ state }) => state)).toEqual(Array.from({ length: DOCUMENTS }, () => 'indexed'));
  for (const seen of told.values()) expect(seen.at(-1)).toMatchObject({ stage: 'INDEXED', progress: { share: 1 } });
});

it('each is found once by its words, with the page; each is stated to be indexed once', async () => {
  const wanted = [...ids.values()];
  await until('all facts in the topic', async () => [...(await facts(wanted)).values()].flat().length >= 2 * DOCUMENTS);
  const found = new Map<string, string[]>();
  for (const word of ids.keys()) found.set(word, (await client.search(word)).map(({ documentId }) => documentId));
  const stated = await facts(wanted);
  expect(faults(ids, stated, found)).toEqual([]);
  expect((await client.search(`${wordOf(0)}x`))[0]).toMatchObject({ name: wordOf(0), excerpts: [{ page: PAGES, text: `The word is ⟦${wordOf(0)}x⟧.` }] });
  // control: a document that was indexed twice, or is found twice, is noticed
  const [[word, id]] = [...ids] as [[string, string]];
  expect(faults(ids, new Map([...stated, [id, [...stated.get(id)!, { name: 'documents.DocumentIndexed' }]]]), new Map([...found, [word, [id, id]]]))).toHaveLength(2);
  expect(await client.search(`${wordOf(0)}y`)).toEqual([]);
});

describe('a file that cannot be parsed', () => {
  it('waits as a dead letter, is replaced, requeued from the command line, and found', async () => {
    const [strange, sound] = [await client.upload('strange', Buffer.from(`Größe ${here.prefix}`, 'latin1')), await client.upload('sound', `${wordOf(90)}`)];
    expect(await client.watch(strange)).toMatchObject({ state: 'stuck', problem: { code: 'document.not-utf8' } });
    expect(await client.watch(sound)).toMatchObject({ state: 'indexed' }); // others go on
    const key = `documents/${strange}`;
    expect(await letters('list')).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 keys? .*document\.not-utf8/) as string });
    expect(JSON.parse((await letters('get', '--key', key, '--json')).stdout)).toMatchObject({ key, fact: { name: 'documents.ParseDocument', data: { version: 1 } } });
    expect((await letters('requeue', '--key', key)).code).toBe(100); // control: nothing was repaired, so it fails as it did
    await client.replace(strange, `Größe ${wordOf(91)}`);
    expect(await client.search(wordOf(91))).toEqual([]);
    expect(await letters('requeue', '--key', key)).toMatchObject({ code: 0 });
    expect(await client.watch(strange)).toMatchObject({ state: 'indexed', version: 2 });
    expect((await client.search(wordOf(91))).map(({ documentId }) => documentId)).toEqual([strange]);
    const stated = async () => (await facts([strange])).get(strange)?.map(({ name }) => name.replace('documents.', ''));
    await until('it to be stated', async () => (await stated())?.includes('DocumentIndexed'));
    expect(await stated()).toEqual(['DocumentUploaded', 'DocumentUploaded', 'DocumentIndexed']);
  });

  it('waits until a setting is changed, is requeued after the restart, and found', async () => {
    const id = await client.upload('long', pdfOf(['one', 'two', 'three', wordOf(92)]));
    expect(await client.watch(id)).toMatchObject({ state: 'stuck', problem: { code: 'document.too-many-pages' } });
    await documents.program.stop();
    documents = await here.start('documents');
    expect(await letters('requeue', '--code', 'document.too-many-pages')).toMatchObject({ code: 0 });
    expect(await client.watch(id)).toMatchObject({ state: 'indexed' });
    expect(await client.search(wordOf(92))).toMatchObject([{ documentId: id, excerpts: [{ page: 4 }] }]);
  });
});
