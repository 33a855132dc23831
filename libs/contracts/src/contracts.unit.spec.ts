import { fingerprintOf } from './canonical.js';
import { parseContract } from './contract-file.js';
import type { AvroNode } from './avro-json.js';
import { generateContracts } from './generate.js';
import type { DeclaredSchemas } from './schemas.js';
import { readerSchema, selectFields } from './selection.js';
import { parseSettings } from './settings.js';

const address = { type: 'record', name: 'Address', namespace: 'x', fields: [{ name: 'city', type: 'string', doc: 'Town.' }, { name: 'street', type: 'string' }] };
const schema = {
  type: 'record',
  name: 'PersonSeen',
  namespace: 'x',
  doc: 'Seen */ somewhere.',
  fields: [
    { name: 'meta', type: { type: 'record', name: 'Meta', namespace: 'factline', fields: [] } },
    { name: 'personId', type: 'string' },
    { name: 'home', type: ['null', address], default: null, 'confluent:tags': ['PII'] },
    { name: 'work', type: 'x.Address' },
    { name: 'states', type: { type: 'array', items: { type: 'enum', name: 'State', namespace: 'x', symbols: ['A', 'B'] } } },
    { name: 'places', type: { type: 'map', values: 'x.Address' } },
    { name: 'photo', type: ['null', 'bytes'], default: null },
  ],
} as unknown as AvroNode;
const topic = { name: 'x.person', owner: 'x', keyField: 'personId', partitions: 1, kind: 'facts', settings: {} } as const;
const schemas: DeclaredSchemas = { settings: parseSettings(undefined, { facts: [], types: [] }), definitions: new Map(), topics: new Map([[topic.name, topic]]), facts: new Map([['x.PersonSeen', { factName: 'x.PersonSeen', file: 'x/PersonSeen.avsc', topic, schema }]]) };
const at = { file: 'contracts.yaml', path: '$.select' };

describe('a selection', () => {
  it('keeps full names, order, defaults and the parts that were named', () => {
    expect(readerSchema(selectFields(schema, ['work.city', 'home.city', 'personId'], at))).toEqual({
      type: 'record',
      name: 'PersonSeen',
      namespace: 'x',
      fields: [
        { name: 'personId', type: 'string' },
        { name: 'home', type: ['null', { ...address, fields: [{ name: 'city', type: 'string' }] }], default: null },
        { name: 'work', type: 'x.Address' },
      ],
    });
  });

  it('writes a type out where it is first used, also when that is not where it is defined', () => {
    const selected = readerSchema(selectFields(schema, ['places'], at));
    expect(selected.fields![0]!.type).toMatchObject({ type: 'map', values: { name: 'Address', fields: [{ name: 'city' }, { name: 'street' }] } });
  });

  it('has a fingerprint that follows its meaning, not its comments', () => {
    const reworded = JSON.parse(JSON.stringify(schema).replace('Town.', 'City.')) as AvroNode;
    const print = (from: AvroNode, ...select: string[]) => fingerprintOf(readerSchema(selectFields(from, select, at)));
    expect(print(reworded, 'home', 'work')).toBe(print(schema, 'home', 'work'));
    expect(print(schema, 'home.city')).not.toBe(print(schema, 'home'));
    expect(print(schema, 'home.city')).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    [['personID'], 'contract.unknown-field', /Did you mean 'personId'/],
    [['home.town'], 'contract.unknown-field', /city, street/],
    [['personId.x'], 'contract.unknown-field', /not a record/],
    [['meta'], 'contract.unknown-field', /always there/],
    [['personId', 'personId'], 'contract.duplicate', /once/],
    [['home', 'home.city'], 'contract.duplicate', /once/],
    [['home.city', 'work.street'], 'contract.selection-conflict', /same parts/],
  ])('%j is refused: %s', (select, code, advice) => {
    expect(() => selectFields(schema, select, at)).toThrow(expect.objectContaining({ code, kind: 'configuration', advice: expect.stringMatching(advice) }));
  });
});

describe('a contract', () => {
  const parse = (body: string) => parseContract(`app: x\nowner: team\n${body}`, 'contracts.yaml', schemas);
  const entry = (select: string, more = '') => `consumes: [{fact: x.PersonSeen, purpose: to see, select: ${select}${more}}]`;

  it.each([
    ['produces: [x.PersonSen]', 'contract.unknown-fact', '$.produces[0]'],
    ['produces: [x.PersonSeen, x.PersonSeen]', 'contract.duplicate', '$.produces[1]'],
    ['produces: x.PersonSeen', 'contract.invalid', '$.produces'],
    ['produses: []', 'contract.invalid', '$.produses'],
    [entry("'*'"), 'contract.wildcard', '$.consumes[0].select'],
    [entry("['*']"), 'contract.wildcard', '$.consumes[0].select'],
    [entry('[]'), 'contract.invalid', '$.consumes[0].select'],
    [entry('[colour]'), 'contract.unknown-field', '$.consumes[0].select'],
    ['consumes: [{fact: x.PersonSeen, select: [personId]}]', 'contract.invalid', '$.consumes[0].purpose'],
    ['consumes: [{', 'declaration.unreadable', undefined],
  ])('%s is refused: %s at %s', (body, code, path) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code, details: expect.objectContaining(path === undefined ? { file: 'contracts.yaml' } : { file: 'contracts.yaml', path }) }));
  });

  it("cannot produce into somebody else's topic", () => {
    expect(() => parseContract('app: y\nowner: t\nproduces: [x.PersonSeen]', 'contracts.yaml', schemas)).toThrow(expect.objectContaining({ code: 'contract.foreign-topic' }));
  });

  it('may select everything when it says why', () => {
    expect(parse(entry("'*'", ', reason: an archive')).consumes[0]!.select).toEqual(['personId', 'home', 'work', 'states', 'places', 'photo']);
  });
});

describe('generated code', () => {
  const contract = parseContract('app: x\nowner: t\nproduces: [x.PersonSeen]\nconsumes: [{fact: x.PersonSeen, purpose: p, select: [personId, home.city, states, photo]}]', 'apps/x/contracts.yaml', schemas);

  it('has the types of what is written and of what is read', () => {
    const text = generateContracts(contract);
    expect(text).toContain(`/** Seen * / somewhere. */
export interface PersonSeenData {
  personId: string;
  home?: PersonSeenDataAddress | null;
  work: PersonSeenDataAddress;
  states: ('A' | 'B')[];
  places: Record<string, PersonSeenDataAddress>;
  photo?: Uint8Array | null;
}
`);
    expect(text).toContain(`export interface PersonSeenSelectionAddress {
  /** Town. */
  city: string;
}
`);
    expect(text).toContain(`export interface PersonSeenSelection {
  personId: string;
  home: PersonSeenSelectionAddress | null;
  states: ('A' | 'B')[];
  photo: Uint8Array | null;
}
`);
    expect(text).toContain("export const PersonSeen = defineFact<PersonSeenData, 'personId'>({");
    expect(text).toContain('export const PersonSeenSelected = selectFact<PersonSeenSelection>({');
    expect(generateContracts(contract)).toBe(text);
  });

  it('refuses a union that no value could be told apart by', () => {
    const other = { type: 'record', name: 'Other', namespace: 'x', fields: [] };
    const ambiguous = { ...schema, fields: [...schema.fields!, { name: 'either', type: ['x.Address', other] as AvroNode[] }] } as AvroNode;
    const fact = { ...schemas.facts.get('x.PersonSeen')!, schema: ambiguous };
    expect(() => generateContracts({ ...contract, produces: [fact], consumes: [] })).toThrow(expect.objectContaining({ code: 'schema.unsupported', details: expect.objectContaining({ path: '$.either' }) }));
  });
});
