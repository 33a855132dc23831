import { projection } from 'factline/projections';
import { an, selectInSpec, specFor } from './index.js';

const fact = <Data extends object>(name: string) => selectInSpec<Data>({ factName: `spec.${name}`, topic: 'accounts', schema: {}, fingerprint: name });
const Opened = fact<{ owner: string; cents: number }>('Opened');
const Paid = fact<{ cents: number }>('Paid');
const Closed = fact('Closed');

const model = (extra?: { paid: () => number }) =>
  projection({ name: 'accounts', version: 1, key: 'id', columns: { id: 'text', owner: 'text', cents: 'bigint' } })
    .on(Opened, (_row, { key, data }) => ({ id: key, owner: data.owner, cents: data.cents }))
    .on(Paid, (row, { data }) => row && { ...row, cents: row.cents + (extra?.paid() ?? data.cents) })
    .on(Closed, () => null);

const history = [an(Opened, 'b', { owner: 'Bo', cents: 1 }), an(Opened, 'a', { owner: 'Ada', cents: 1 }), an(Paid, 'a', { cents: 5 }), an(Paid, 'a', { cents: 6 }), an(Closed, 'b')] as const;

describe('specFor', () => {
  it('passes when the rows are right, in any order, and duplicates change nothing', () => {
    specFor(model()).given(...history).thenRows({ id: 'a', owner: 'Ada', cents: 12 });
    specFor(model()).given(history[0], history[1]).thenRows({ id: 'a', owner: 'Ada', cents: 1 }, { id: 'b', owner: 'Bo', cents: 1 });
    specFor(model()).given(history[0], history[4]).thenNoRows();
    specFor(model()).given().thenNoRows();
  });

  it.each([
    ['a wrong value', [{ id: 'a', owner: 'Ada', cents: 11 }]],
    ['a missing row', []],
    ['a row too many', [{ id: 'a', owner: 'Ada', cents: 12 }, { id: 'b', owner: 'Bo', cents: 1 }]],
    ['text for a number', [{ id: 'a', owner: 'Ada', cents: '12' as never }]],
  ])('fails with %s', (_name, rows) => {
    expect(() => specFor(model()).given(...history).thenRows(...rows)).toThrow(/deep-equal/);
    expect(() => specFor(model()).given(...history).thenNoRows()).toThrow(/deep-equal/);
  });

  it('catches a fold that counts in a variable of its own', () => {
    let payments = 0;
    expect(() => specFor(model({ paid: () => ++payments })).given(...history).thenRows({ id: 'a', owner: 'Ada', cents: 4 })).toThrow(/deep-equal/);
  });

  it('catches a fold that remembers which facts it has seen', () => {
    const seen = new Set<string>();
    const remembering = projection({ name: 'seen', version: 1, key: 'id', columns: { id: 'text' } }).on(Opened, (_row, { key, meta }) => {
      if (seen.has(meta.id)) return null;
      seen.add(meta.id);
      return { id: key };
    });
    expect(() => specFor(remembering).given(history[1]).thenRows({ id: 'a' })).toThrow(/deep-equal/);
  });

  it('catches a fold that reads a clock', () => {
    let now = 0;
    const clocked = projection({ name: 'clocked', version: 1, key: 'id', columns: { id: 'text', at: 'bigint' } }).on(Opened, (_row, { key }) => ({ id: key, at: ++now }));
    expect(() => specFor(clocked).given(history[1]).thenRows({ id: 'a', at: 1 })).toThrow(/deep-equal/);
  });

  it('numbers the facts of each key from 1, and dates them in order', () => {
    const seen: [string, number, number][] = [];
    const looking = projection({ name: 'looking', version: 1, key: 'id', columns: { id: 'text' } });
    for (const type of [Opened, Paid, Closed]) looking.on(type, (_row, { key, meta }) => (seen.push([key, meta.sequence, meta.occurredAt]), null));
    specFor(looking).given(...history).thenNoRows();
    expect(seen.slice(0, 5)).toEqual([['b', 1, 1e6], ['a', 1, 2e6], ['a', 2, 3e6], ['a', 3, 4e6], ['b', 2, 5e6]]);
  });
});
