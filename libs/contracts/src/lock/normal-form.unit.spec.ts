import { fingerprintOf } from '../canonical.js';
import type { AvroNode } from '../avro-json.js';
import { normalForm, withoutDocs } from './normal-form.js';

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

  it('that cannot be bundled stay as they are', () => {
    const foreign: AvroNode = { type: 'record', name: 'NoNamespace', fields: [] };
    expect(normalForm(foreign)).toBe(foreign);
    expect(normalForm({ type: 'array', items: 'string' })).toEqual({ type: 'array', items: 'string' });
  });
});
