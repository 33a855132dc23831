import fc from 'fast-check';
import type { Session } from 'factline/store';
import { type Site, site } from './site.spec.support.js';
import { opened } from './accounts.spec.support.js';
import { arrayLiteral, columnsOf, copyLine, escapeCopy, selectList } from './encode.js';
import { projection } from './index.js';

let there: Site;
let session: Session;
beforeAll(async () => {
  there = await site();
  session = await there.store.session();
});
afterAll(async () => {
  await session.close();
  await there.close();
});

const model = projection({
  name: 'cells',
  version: 1,
  key: 'k',
  columns: { k: 'text', t: 'text null', i: 'integer null', b: 'bigint', d: 'double precision', o: 'boolean', day: 'date', at: 'timestamptz null', n: 'numeric', j: 'jsonb null' },
}).on(opened('accounts'), () => null);
const columns = columnsOf(model);

/** Whatever Postgres can hold in text: everything but NUL. */
const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('', 'NULL', 'null', '\\N', '\\.', '{}', '{"', '"\\"', "'", '\t\n\r\b\f\v\\', '\u2028', '😀'))
  .map((value) => value.replaceAll('\0', '').toWellFormed());
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')) as unknown).filter((value) => value !== null);
const row = fc.record({
  k: text,
  t: fc.option(text),
  i: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  b: fc.maxSafeInteger(),
  d: fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  o: fc.boolean(),
  day: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
  at: fc.option(fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString().replace('Z', '123Z'))),
  n: fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.stringMatching(/^[0-9]{1,9}$/)).map(([whole, fraction]) => `${whole}.${fraction}`),
  j: fc.option(json),
});

it('rows are the same after COPY, and after arrays, whatever is in them', async () => {
  const declared = columns.map(({ name, type }) => `"${name}" ${type}`).join(', ');
  await session.query(`create temporary table copied (${declared}, s bigint); create temporary table unnested (like copied)`);
  const arrays = [...columns.map(({ type }) => type), 'bigint'].map((type, i) => `$${i + 1}::${type}[]`).join(', ');
  const read = async (table: string) => (await session.query<{ s: number }>(`select ${selectList(columns)}, s::integer as s from ${table} order by s`)).rows;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (rows) => {
      await session.query('truncate copied, unnested');
      const line = copyLine(columns);
      await session.copyIn('copy copied from stdin', rows.map((each, i) => line(each, i)));
      const parameters = columns.map(({ name, toText }) => arrayLiteral(rows.map((each) => each[name as keyof typeof each]), toText));
      await session.query(`insert into unnested select * from unnest(${arrays})`, [...parameters, arrayLiteral(rows.map((_, i) => i), String)]);
      const wanted = rows.map((each, s) => ({ ...each, s }));
      expect(await read('copied')).toEqual(wanted);
      expect(await read('unnested')).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});

it('control: text that is not escaped is another text, or none that Postgres takes', async () => {
  await session.query('create temporary table plain (t text)');
  await session.copyIn('copy plain from stdin', ['\\N\n', `${escapeCopy('\\N')}\n`]);
  expect((await session.query('select t from plain')).rows).toEqual([{ t: null }, { t: '\\N' }]);
});
