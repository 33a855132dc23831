/// <reference lib="es2024.string" />
import fc from 'fast-check';
import { chunksOf } from './chunks.js';

/** Words, sentences and paragraphs in any order, and text that has none of them. */
const piece = fc.oneof(fc.constantFrom('\n\n', '\n \n', '\n', '. ', '! "Yes." ', ' ', '\t', '💣', '', 'word', 'a-long-word-without-any-seam'), fc.string({ unit: 'grapheme', maxLength: 8 }));
const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
const most = fc.integer({ min: 2, max: 40 });

/** What is wrong with the pieces of a text. */
function faults(whole: string, chunks: readonly string[], longest: number): string[] {
  return [
    ...(chunks.join('') === whole ? [] : ['joined they are not the text']),
    ...(chunks.some((chunk) => chunk.length > longest) ? ['one is too long'] : []),
    ...(chunks.some((chunk) => chunk === '') ? ['one is empty'] : []),
    ...(whole.isWellFormed() && chunks.some((chunk) => !chunk.isWellFormed()) ? ['a character is cut in two'] : []),
  ];
}

it('whatever the text is, its pieces joined are the text, none is too long or empty, and no character is cut in two', () => {
  fc.assert(fc.property(text, most, (whole, longest) => expect(faults(whole, chunksOf(whole, longest), longest)).toEqual([])), { numRuns: 2_000 });
});

it.each([
  ['pieces that are trimmed', (whole: string, longest: number) => chunksOf(whole, longest).map((chunk) => chunk.trim())],
  ['pieces in another order', (whole: string, longest: number) => chunksOf(whole, longest).toReversed()],
  ['pieces of so many code units, wherever that is', (whole: string, longest: number) => whole.match(new RegExp(`[^]{1,${longest}}`, 'g')) ?? []],
])('control: %s are noticed', (_what, cut) => {
  const { failed } = fc.check(fc.property(text, most, (whole, longest) => expect(faults(whole, cut(whole, longest), longest)).toEqual([])), { numRuns: 2_000 });
  expect(failed).toBe(true);
});

it('a text is cut behind a paragraph, else a line, a sentence, a word, if there is one in the second half', () => {
  expect(chunksOf('One is here.\n\nTwo is a line\nof two. Three.', 20)).toEqual(['One is here.\n\n', 'Two is a line\n', 'of two. Three.']);
  expect(chunksOf('One is here. Two is there too.', 20)).toEqual(['One is here. ', 'Two is there too.']);
  expect(chunksOf('a. one-two three-four-five', 20)).toEqual(['a. one-two ', 'three-four-five']);
  expect(chunksOf('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(chunksOf('', 4)).toEqual([]);
});
