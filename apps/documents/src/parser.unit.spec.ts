import { until } from 'factline/testing';
import { Parser } from './parser.js';
import { bombOf, pdfOf } from './pdf.spec.support.js';
import { readPdf } from './pdf.js';

const parser = new Parser({ pages: 3 });
const never = new AbortController().signal;
const parse = (content: Buffer | string, mediaType = 'application/pdf', progress: (page: number, pages: number) => void = () => undefined) => parser.parse(Buffer.from(content), mediaType, { signal: never, progress });
const reading = { maxPages: 10, signal: never, progress: () => undefined };

it('reads the text of each page of a PDF, and says how far it is', async () => {
  const progress: string[] = [];
  const parsed = await parse(pdfOf(['Minutes (draft)\nof the meeting', 'Budget']), 'application/pdf', (page, pages) => progress.push(`${page}/${pages}`));
  expect(parsed).toEqual({ pages: ['Minutes (draft)\nof the meeting', 'Budget'] });
  expect(progress).toEqual(['1/2', '2/2']);
});

it('reads text in UTF-8 as one page, without what Postgres does not store', async () => {
  expect(await parse('Größe 💣\n\nzwei', 'text/plain')).toEqual({ pages: ['Größe 💣\n\nzwei'] });
  expect(await parse('a\0b', 'text/markdown')).toEqual({ pages: ['a\uFFFDb'] });
});

it.each([
  ['something else', Buffer.from('no PDF at all'), 'NOT_A_PDF'],
  ['half of a PDF', pdfOf(['x']).subarray(0, 200), 'NOT_A_PDF'],
  ['a PDF with a password', pdfOf(['x'], { encrypted: true }), 'ENCRYPTED'],
  ['a PDF without text', pdfOf(['', ' ']), 'NO_TEXT'],
])('%s is told to its user', async (_what, content, unusable) => {
  expect(await parse(content)).toEqual({ unusable });
});

it('a text of nothing, or of too much, is told to its user', async () => {
  expect(await parse(' \n ', 'text/plain')).toEqual({ unusable: 'NO_TEXT' });
  expect(await parse('x'.repeat(5_000_001), 'text/plain')).toEqual({ unusable: 'TOO_LONG' });
});

describe('an operator has to look at', () => {
  it('text in another encoding', () => expect(parse(Buffer.from('Größe', 'latin1'), 'text/plain')).rejects.toMatchObject({ code: 'document.not-utf8', retry: false }));

  it('more pages than are allowed here', () => expect(parse(pdfOf(['1', '2', '3', '4']))).rejects.toMatchObject({ code: 'document.too-many-pages', message: expect.stringContaining('4 pages, and 3') as string }));

  it('a PDF that takes too long', () => expect(readPdf(pdfOf(['x']), { ...reading, timeoutMs: 1 })).rejects.toMatchObject({ code: 'document.parser-time', retry: false }));

  it('a PDF that unpacks to more than there is memory for', async () => {
    const bomb = bombOf(300_000_000);
    expect(bomb.length).toBeLessThan(1_000_000);
    await expect(readPdf(bomb, { ...reading, maxGrowthBytes: 50_000_000 })).rejects.toMatchObject({ code: 'document.parser-memory', retry: false });
    expect(await parse(pdfOf(['the next one']))).toEqual({ pages: ['the next one'] });
  });
});

it('other work goes on while a PDF is read, and whoever runs it ends the reading', async () => {
  const stop = new AbortController();
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  let ended = false;
  const read = readPdf(bombOf(300_000_000), { ...reading, signal: stop.signal }).finally(() => (ended = true));
  read.catch(() => undefined); // looked at below
  await until('many turns of the event loop', () => turns > 50);
  clearInterval(turning);
  expect(ended).toBe(false);
  stop.abort(new Error('the handler took too long'));
  await expect(read).rejects.toThrow('the handler took too long');
});
