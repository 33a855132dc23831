import type { AvroNode } from '../avro-json.js';
import { fieldRows } from './field-rows.js';

const record = (...fields: unknown[]) => ({ type: 'record', name: 'Thing', namespace: 'shop', fields }) as unknown as AvroNode;
const typeOf = (type: unknown) => fieldRows(record({ name: 'field', type }))[0]!.type;

it.each([
  ['string', 'string'],
  [{ type: 'string' }, 'string'],
  [['null', 'string'], 'string | null'],
  [['string', 'null', 'long'], 'string | null | long'],
  [{ type: 'array', items: ['null', 'long'] }, '(long | null)[]'],
  [{ type: 'map', values: { type: 'array', items: 'int' } }, 'map of int[]'],
  [{ type: 'int', logicalType: 'date' }, 'date (int)'],
  [{ type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 }, 'decimal(12, 2) (bytes)'],
  [{ type: 'enum', name: 'Colour', namespace: 'shop', symbols: ['RED'] }, 'enum shop.Colour'],
  [{ type: 'fixed', name: 'Id', namespace: 'shop', size: 16 }, 'fixed shop.Id of 16 bytes'],
  [{ type: { type: 'record', name: 'Money', namespace: 'shop', fields: [] } }, 'shop.Money'],
])('%j is shown as %s', (type, text) => {
  expect(typeOf(type)).toBe(text);
});

it('goes into records wherever they are, and not into one that is open', () => {
  const line = { type: 'record', name: 'Line', namespace: 'shop', fields: [{ name: 'sku', type: 'string' }, { name: 'parts', type: { type: 'array', items: 'shop.Line' } }] };
  const rows = fieldRows(record({ name: 'lines', type: { type: 'array', items: line } }, { name: 'first', type: ['null', 'shop.Line'] }, { name: 'either', type: ['shop.Line', 'string'] }));
  expect(rows.map(({ path }) => path)).toEqual(['lines', 'lines.sku', 'lines.parts', 'first', 'first.sku', 'first.parts', 'either']);
});

it('shows a part of what would never end', () => {
  const fields = Array.from({ length: 40 }, (_each, at) => ({ name: `f${at}`, type: { type: 'record', name: `R${at}`, namespace: 'shop', fields: at === 0 ? [{ name: 'x', type: 'long' }] : [{ name: 'a', type: `shop.R${at - 1}` }, { name: 'b', type: `shop.R${at - 1}` }] } }));
  const rows = fieldRows(record(...fields)); // 2^40 when written out
  expect(rows.length).toBeGreaterThan(500);
  expect(rows.length).toBeLessThan(600);
  expect(rows.filter(({ path }) => !path.includes('.'))).toHaveLength(40);
});

it('takes an annotation that cannot be right for none', () => {
  const deprecated = { effective: '2026-11-21', removal: '2027-02-01' };
  const rows = fieldRows(record({ name: 'a', type: 'int', deprecated }, { name: 'b', type: 'int', deprecated: 'soon' }, { name: 'c', type: 'int', 'confluent:tags': 'PII' }));
  expect(rows).toEqual([{ path: 'a', type: 'int', deprecated }, { path: 'b', type: 'int' }, { path: 'c', type: 'int' }]);
});
