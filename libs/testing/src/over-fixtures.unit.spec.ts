import { projection } from 'factline/projections';
import { FIXTURE_PAIRS_MAX } from './limits.js';
import { type Fixture, an, selectInSpec, specFor } from './index.js';

const fact = <Data extends object>(name: string) => selectInSpec<Data>({ factName: `spec.${name}`, topic: 'accounts', schema: {}, fingerprint: name });
const Opened = fact<{ owner: string | null }>('Opened');
const Renamed = fact<{ owner: string }>('Renamed');

/** As `everyFixture` would give it. */
function fixture<Data extends object>(title: string, ...given: Parameters<typeof an<Data>>): Fixture {
  const { key, fact: made } = an(...given);
  return [title, { ...made, key, meta: { ...made.meta, sequence: 1 } }];
}

const opened = [fixture('opened by Ada', Opened, 'a', { owner: 'Ada' }), fixture('opened by nobody', Opened, 'a', { owner: null })];
const renamed = fixture('renamed', Renamed, 'a', { owner: 'Bo' });
const accounts = () => projection({ name: 'accounts', version: 1, key: 'id', columns: { id: 'text', owner: 'text null' } }).on(Opened, (_none, { key, data }) => ({ id: key, owner: data.owner }));

describe('a projection over fixtures', () => {
  it('folds each alone, and after each that left another row', () => {
    const seen: string[] = [];
    const looking = accounts().on(Renamed, (row, { data }) => (seen.push(row === null ? 'none' : String(row.owner)), row && { ...row, owner: data.owner }));
    specFor(looking).over([...opened, ...opened, renamed]);
    expect(new Set(seen)).toEqual(new Set(['none', 'Ada', 'null'])); // a row that is there twice is folded once
    expect(seen.filter((each) => each === 'Ada')).toHaveLength(3);
  });

  it('says which fact fails after which', () => {
    const forgetful = accounts().on(Renamed, (row, { data }) => row && { ...row, owner: row.owner!.toUpperCase() + data.owner });
    expect(() => specFor(forgetful).over([...opened, renamed])).toThrow(/fails on 1 of 3 .*\n {2}renamed, after opened by nobody: /);
    specFor(forgetful).over([opened[0]!, renamed]); // control: with a name it is right
  });

  it('finds a row that does not fit the columns, and one that depends on how often a fact came', () => {
    const strict = projection({ name: 'strict', version: 1, key: 'id', columns: { id: 'text', owner: 'text' } }).on(Opened, (_none, { key, data }) => ({ id: key, owner: data.owner! }));
    expect(() => specFor(strict).over(opened)).toThrow(/1 of 2 .*\n {2}opened by nobody: .*'owner' is null/);
    let count = 0;
    const counting = projection({ name: 'counting', version: 1, key: 'id', columns: { id: 'text', count: 'bigint' } }).on(Opened, (_none, { key }) => ({ id: key, count: ++count }));
    expect(() => specFor(counting).over(opened)).toThrow(/2 of 2 /);
  });

  it('refuses what tests nothing, and more than it can do in seconds', () => {
    expect(() => specFor(accounts()).over([renamed])).toThrow(expect.objectContaining({ code: 'testing.fixture-not-folded' }));
    const many = Array.from({ length: Math.ceil(Math.sqrt(FIXTURE_PAIRS_MAX)) + 1 }, (_each, at) => fixture(`${at}`, Opened, 'a', { owner: String(at) }));
    expect(() => specFor(accounts()).over(many)).toThrow(expect.objectContaining({ code: 'testing.fixtures-too-many' }));
  });
});
