import type { FactlineError } from 'factline/kernel';
import { PageQuery, field, isDay } from './field.js';
import type { FieldFault } from './problem.js';
import { SoundTextPipe, strictValidation, unsound } from './validation.js';

class Inner {
  @field.text({ max: 5 }) city!: string;
}

class Body {
  @field.text({ max: 10 }) name!: string;
  @field.whole({ min: 0, max: 100 }) count!: number;
  @field.day({ optional: true }) day?: string;
  @field.code({ pattern: /^[A-Z]{3}$/, expects: 'three capitals', optional: true, nullable: true }) code?: string | null;
  @field.object({ type: () => Inner, optional: true }) inner?: Inner;
  @field.oneOf({ values: ['a', 'b'], optional: true }) choice?: string;
  @field.list({ type: () => Inner, min: 1, max: 2, optional: true }) all?: Inner[];
}

async function faultsOf(value: unknown, metatype: new () => object = Body): Promise<string[]> {
  try {
    await strictValidation().transform(value, { type: 'body', metatype });
  } catch (error) {
    return ((error as FactlineError).details['errors'] as FieldFault[]).map(({ path }) => path);
  }
  return [];
}

const good = { name: 'Zoë', count: 1 };

it('takes what is declared', async () => {
  expect(await faultsOf({ ...good, day: '2024-02-29', code: null, inner: { city: 'Köln' }, choice: 'a', all: [{ city: 'Ulm' }, { city: 'Bonn' }] })).toEqual([]);
});

it.each([
  ['an unknown field', { ...good, role: 'admin' }, ['role']],
  ['an unknown field inside', { ...good, inner: { city: 'x', role: 1 } }, ['inner.role']],
  ['text for a number', { ...good, count: '1' }, ['count']],
  ['a number for text', { ...good, name: 1 }, ['name']],
  ['a fraction', { ...good, count: 1.5 }, ['count']],
  ['null that is not declared', { ...good, name: null }, ['name']],
  ['a day that does not exist', { ...good, day: '2026-02-30' }, ['day']],
  ['a list for an object', { ...good, inner: [] }, ['inner']],
  ['an object for a list', { ...good, all: { city: 'Ulm' } }, ['all']],
  ['an empty list', { ...good, all: [] }, ['all']],
  ['a list that is too long', { ...good, all: [1, 2, 3].map(() => ({ city: 'Ulm' })) }, ['all']],
  ['a list with something else in it', { ...good, all: [{ city: 'Ulm' }, 'Bonn'] }, ['all']],
  ['a list in a list', { ...good, all: [[]] }, ['all']],
  ['an unknown field inside a list', { ...good, all: [{ city: 'Ulm', role: 1 }] }, ['all.0.role']],
  ['a value outside the list', { ...good, choice: 'c' }, ['choice']],
  ['too much text', { ...good, name: 'x'.repeat(11) }, ['name']],
  ['empty text', { ...good, name: '' }, ['name']],
  ['text around spaces', { ...good, name: ' x' }, ['name']],
  ['a line break', { ...good, name: 'a\nb' }, ['name']],
  ['nothing', {}, ['name', 'count']],
])('refuses %s, naming the field', async (_what, body, paths) => {
  expect(await faultsOf(body)).toEqual(paths);
});

it.each([[[]], ['text'], [null], [undefined]])('refuses %p as a body', async (body) => {
  expect((await faultsOf(body)).length).toBeGreaterThan(0);
});

it('composes text, so that equal names are equal', async () => {
  const { name } = (await strictValidation().transform({ ...good, name: 'Zoe\u0308' }, { type: 'body', metatype: Body })) as Body;
  expect(name).toBe('Zo\u00eb');
});

it('finds text that cannot be stored, in values and in names, at any depth', () => {
  expect(unsound({ a: 'x\0', b: [{ c: '\ud800' }], ['k\0']: 1, fine: '\u{1f600}' }, '').map(({ path }) => path).toSorted()).toEqual(['(a field name)', 'a', 'b.0.c']);
  expect(unsound(JSON.parse('{"__proto__":{"admin":true}}'), '').map(({ path }) => path)).toEqual(['__proto__']);
  expect(unsound({ fine: ['x', 1, null, true] }, '')).toEqual([]);
});

it('stops at depth and at number of values, without recursion', () => {
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
  expect(unsound(deep, '')[0]!.message).toMatch(/nested at most 32/);
  expect(unsound(Array.from({ length: 100_000 }, () => 1), '')[0]!.message).toMatch(/at most 10000 values/);
});

it('looks into addresses and queries too, not into what we made', () => {
  const pipe = new SoundTextPipe();
  expect(() => pipe.transform('a\0', { type: 'param', data: 'id' })).toThrow(/id must not contain the NUL/);
  expect(pipe.transform({ x: '\0' }, { type: 'custom' })).toEqual({ x: '\0' });
});

it('knows days', () => {
  expect(['2024-02-29', '1900-01-01'].every(isDay)).toBe(true);
  expect(['2023-02-29', '2026-13-01', '2026-1-1', '0001-01-01', '2026-01-01T00:00:00Z', 20_260_101, null].some(isDay)).toBe(false);
});

describe('pages', () => {
  const query = (text: Record<string, string>) => strictValidation().transform(text, { type: 'query', metatype: PageQuery }) as Promise<PageQuery>;
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const rows = (behind: string, count: number) => Promise.resolve(keys.filter((key) => key > behind).slice(0, count));

  it('follow one another without overlap and end with null', async () => {
    const seen: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await (await query({ limit: '2', ...(cursor && { cursor }) })).page(rows, (key) => key);
      seen.push([...page.items]);
      cursor = page.next;
    }
    expect(seen).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it.each([{ limit: '0' }, { limit: '201' }, { limit: 'x' }, { limit: '1.5' }, { cursor: "' or 1=1" }, { cursor: '' }, { offset: '1' }])('refuse %p', async (text) => {
    await expect(query(text as never)).rejects.toMatchObject({ code: 'request.invalid' });
  });
});
