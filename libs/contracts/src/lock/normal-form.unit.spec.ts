import { fingerprintOf } from '../canonical.js';
import type { AvroNode } from '../avro-json.js';
import { normalForm, registeredRecord, withoutDocs } from './normal-form.js';

const ADDRESS = { type: 'record', name: 'Address', namespace: 'shop', fields: [{ name: 'zip', type: 'string' }] };
const OURS: AvroNode = {
  type: 'record',
  name: 'Ordered',
  namespace: 'shop',
  doc: 'Ordered.',
  aliases: ['Bought'],
  fields: [
    { name: 'to', type: ADDRESS },
    { name: 'from', type: ['null', 'shop.Address'], default: null },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' }, 'confluent:tags': ['PII'] },
    { name: 'lines', type: { type: 'array', items: { type: 'string' } } },
  ],
};
/** As Avro for Java prints it, and registries that parse: no namespace inside of the same one, short references, other orders, bare names. */
const JAVA: AvroNode = {
  fields: [
    { type: { name: 'Address', type: 'record', fields: [{ type: 'string', name: 'zip' }] }, name: 'to' },
    { default: null, name: 'from', type: ['null', 'Address'] },
    { 'confluent:tags': ['PII'], name: 'at', type: { logicalType: 'timestamp-micros', type: 'long' } },
    { name: 'lines', type: { type: 'array', items: 'string' } },
  ],
  aliases: ['shop.Bought'],
  doc: 'Ordered.',
  name: 'shop.Ordered',
  type: 'record',
};
const print = (schema: AvroNode) => fingerprintOf(normalForm(schema));
const changed = (change: (schema: typeof OURS & { fields: Record<string, unknown>[] }) => void): AvroNode => {
  const copy = structuredClone(OURS) as never;
  change(copy);
  return copy;
};

describe('two texts of one contract', () => {
  it('are one, however a registry words them', () => {
    expect(print(JAVA)).toBe(print(OURS));
    expect(normalForm(normalForm(JAVA))).toEqual(normalForm(OURS));
    expect(fingerprintOf(JAVA)).not.toBe(fingerprintOf(OURS)); // control: the words do differ
  });

  it.each<[string, AvroNode]>([
    ['a default', changed(({ fields }) => delete fields[1]!['default'])],
    ['a tag', changed(({ fields }) => delete fields[2]!['confluent:tags'])],
    ['a logical type', changed(({ fields }) => (fields[2]!['type'] = { type: 'long', logicalType: 'timestamp-millis' }))],
    ['an alias', changed((schema) => delete schema['aliases'])],
    ['documentation', changed((schema) => (schema.doc = 'Bought.'))],
    ['the namespace', changed((schema) => (schema.namespace = 'store'))],
  ])('are two when %s differs', (_what, other) => {
    expect(print(other)).not.toBe(print(OURS));
  });

  it('say the same but for their documentation', () => {
    const reworded = changed(({ fields }) => Object.assign(fields[0]!, { doc: 'Where to.' }));
    const said = (schema: AvroNode) => fingerprintOf(withoutDocs(normalForm(schema)) as object);
    expect(said(reworded)).toBe(said(OURS));
    expect(said(changed(({ fields }) => (fields[1]!['default'] = undefined)))).not.toBe(said(OURS));
  });

  it('with names that no fact may have are compared all the same', () => {
    const foreign = (names: object): AvroNode => ({ type: 'record', name: 'NoNamespace', fields: [{ name: 'constructor', type: { type: 'record', name: 'Inner', fields: [] } }, { name: 'other', type: 'Inner' }], ...names });
    expect(print(foreign({}))).toBe(print(foreign({ namespace: '' })));
    expect(print(foreign({}))).not.toBe(print(foreign({ namespace: 'shop' })));
    expect(normalForm({ type: 'array', items: 'string' })).toEqual({ type: 'array', items: 'string' });
  });
});

describe('what is registered for a fact', () => {
  const registered = (rest: object) => registeredRecord({ type: 'record', name: 'Ordered', namespace: 'shop', ...rest });

  it('is a record that can be walked through, whoever wrote it', () => {
    expect(registeredRecord(JAVA)).toEqual(normalForm(OURS));
    expect(registered({ fields: [] })).toEqual({ type: 'record', name: 'Ordered', namespace: 'shop', fields: [] });
  });

  it.each<[string, unknown]>([
    ['is no record', null],
    ['is no record', 'string'],
    ['is no record', { type: 'enum', name: 'Ordered', namespace: 'shop', symbols: ['A'] }],
    ['is no record', { type: 'array', items: 'string' }],
    ['is no record', { type: 'record', fields: [] }],
    ['a record needs a list of fields', { type: 'record', name: 'Ordered' }],
    ['a record needs a list of fields', { type: 'record', name: 'Ordered', fields: { a: 'string' } }],
    ['a field needs a name and a type', { type: 'record', name: 'Ordered', fields: [7] }],
    ['a type is a name, a list (union) or an object', { type: 'record', name: 'Ordered', fields: [{ name: 'a', type: null }] }],
    ["the type 'Nothing' is not defined", { type: 'record', name: 'Ordered', fields: [{ name: 'a', type: 'Nothing' }] }],
  ])('or it is told why not: %s', (why, schema) => {
    expect(registeredRecord(schema)).toContain(why);
  });
});
