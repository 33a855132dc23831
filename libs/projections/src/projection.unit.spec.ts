import { foldHistory, importProjection, projection } from './index.js';
import { accounts, opened, paid } from './accounts.spec.support.js';
import { onlyTopic } from './rebuild/plan.js';

const columns = { id: 'text', n: 'bigint' } as const;
const made = (change: Partial<Parameters<typeof projection>[0]> = {}) => projection({ name: 'model', version: 1, key: 'id', columns, ...change } as Parameters<typeof projection>[0]);

describe('projection()', () => {
  it.each([
    ['a name that is no SQL name', { name: 'Payees' }, 'store.name'],
    ['a name too long for its generations', { name: 'a'.repeat(41) }, 'projection.invalid'],
    ['a column that is no SQL name', { columns: { id: 'text', 'a b': 'text' } }, 'store.name'],
    ['a column with a reserved prefix', { columns: { id: 'text', factline_x: 'text' } }, 'projection.invalid'],
    ['version 0', { version: 0 }, 'projection.invalid'],
    ['version 1.5', { version: 1.5 }, 'projection.invalid'],
    ['a key that is no column', { key: 'other' }, 'projection.invalid'],
    ['a key that is no text', { key: 'n' }, 'projection.invalid'],
    ['an index over an unknown column', { indexes: [['n', 'm']] }, 'projection.invalid'],
  ])('refuses %s', (_name, change, code) => {
    expect(() => made(change as never)).toThrow(expect.objectContaining({ code, kind: 'configuration' }));
  });

  it('refuses a fact type declared twice', () => {
    expect(() => accounts().on(opened('accounts'), (row) => row)).toThrow(expect.objectContaining({ code: 'projection.invalid' }));
  });

  it('knows its facts and its topics', () => {
    expect(accounts('t').topics).toEqual(['t']);
    expect(accounts('t').facts.map(({ factName }) => factName)).toEqual(['spec.Opened', 'spec.Paid', 'spec.Renamed', 'spec.Closed']);
  });

  it('may read several topics, but then it cannot be rebuilt', () => {
    const several = made().on(opened('a'), (row) => row).on(paid('b'), (row) => row);
    expect(() => onlyTopic(several)).toThrow(expect.objectContaining({ code: 'projection.several-topics', kind: 'configuration' }));
    expect(() => onlyTopic(made())).toThrow(expect.objectContaining({ code: 'projection.several-topics' }));
  });
});

describe('the fingerprint', () => {
  const base = () => made().on(opened('a'), (row) => row);
  const changed = {
    name: () => made({ name: 'other' }).on(opened('a'), (row) => row),
    version: () => made({ version: 2 }).on(opened('a'), (row) => row),
    columns: () => made({ columns: { ...columns, m: 'text' } } as never).on(opened('a'), (row) => row),
    'a column’s type': () => made({ columns: { id: 'text', n: 'integer' } } as never).on(opened('a'), (row) => row),
    indexes: () => made({ indexes: [['n']] } as never).on(opened('a'), (row) => row),
    'a fold': () => made().on(opened('a'), () => null),
    topic: () => made().on(opened('b'), (row) => row),
    selection: () => made().on({ ...opened('a'), fingerprint: 'another' }, (row) => row),
    'fact types': () => made().on(opened('a'), (row) => row).on(paid('a'), (row) => row),
  };

  it('is the same for the same declaration, whatever its white space and the order of its folds', () => {
    expect(base().fingerprint).toBe(base().fingerprint);
    const spaced = made().on(opened('a'), (row) =>
      // prettier would not write it so
          row
    );
    expect(spaced.fingerprint.length).toBe(16);
    const one = made().on(opened('a'), (row) => row).on(paid('a'), (row) => row);
    const other = made().on(paid('a'), (row) => row).on(opened('a'), (row) => row);
    expect(one.fingerprint).toBe(other.fingerprint);
    const fold = Object.assign(((row: null) => row) as (row: null) => null, { toString: () => '(row)  =>\n\t row' });
    expect(made().on(opened('a'), fold as never).fingerprint).toBe(made().on(opened('a'), Object.assign((row: null) => row, { toString: () => '(row) => row' }) as never).fingerprint);
    const says = (text: string) => made().on(opened('a'), Object.assign((row: null) => row, { toString: () => `(row) => '${text}'` }) as never).fingerprint;
    expect(says('on hold')).not.toBe(says('onhold'));
  });

  it.each(Object.entries(changed))('changes with its %s', (_name, make) => {
    expect(make().fingerprint).not.toBe(base().fingerprint);
  });
});

describe('importProjection', () => {
  const module = new URL('data:text/javascript,export const nothing = 1;').href;

  it('says which module exports no such projection', async () => {
    await expect(importProjection(module, 'payees')).rejects.toMatchObject({ code: 'projection.unknown', kind: 'not-found', message: expect.stringContaining("'payees'") });
    await expect(importProjection(module, 'payees', 3)).rejects.toMatchObject({ message: expect.stringContaining('version 3') });
  });
});

it('foldHistory of no facts is no rows', () => expect(foldHistory(accounts(), []).size).toBe(0));
