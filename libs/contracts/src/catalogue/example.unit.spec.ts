import avro from 'avsc';
import type { AvroNode } from '../avro-json.js';
import { registeredRecord } from '../lock/normal-form.js';
import { checkedType } from '../checked-types.js';
import { FactEncoder } from '../encoder.js';
import { META_FIELD, META_SCHEMA } from '../meta.js';
import { RECORD_OFFSET } from '../wire.js';
import { Dice, Inventor } from '../compatibility/invented-schemas.spec.support.js';
import { printed } from '../compatibility/schema-shapes.spec.support.js';
import { exampleOf, exampleValue } from './example.js';

const record = (...fields: unknown[]) => ({ type: 'record', name: 'Thing', namespace: 'shop', fields }) as unknown as AvroNode;
const node = { type: 'record', name: 'Node', namespace: 'shop', fields: [{ name: 'label', type: 'string' }, { name: 'next', type: ['null', 'shop.Node'] }, { name: 'children', type: { type: 'array', items: 'shop.Node' } }, { name: 'named', type: { type: 'map', values: 'shop.Node' } }] };

const EVERY_KIND = record(
  ...['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].map((type) => ({ name: `${type}Field`, type })),
  { name: 'enumField', type: { type: 'enum', name: 'Colour', namespace: 'shop', symbols: ['RED', 'BLUE'] } },
  { name: 'fixedField', type: { type: 'fixed', name: 'Four', namespace: 'shop', size: 4 } },
  { name: 'arrayField', type: { type: 'array', items: 'shop.Colour' } },
  { name: 'mapField', type: { type: 'map', values: 'long' } },
  { name: 'nullableField', type: ['null', 'string'], default: null },
  { name: 'unionField', type: ['int', 'string', 'boolean'] },
  { name: 'recordField', type: node },
  { name: 'birthDate', type: { type: 'int', logicalType: 'date' } },
  { name: 'opensAt', type: { type: 'int', logicalType: 'time-millis' } },
  { name: 'openedAt', type: { type: 'long', logicalType: 'time-micros' } },
  { name: 'paidAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'sentAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
  { name: 'boughtAt', type: { type: 'long', logicalType: 'local-timestamp-millis' } },
  { name: 'soldAt', type: { type: 'long', logicalType: 'local-timestamp-micros' } },
  { name: 'measuredAt', type: { type: 'long', logicalType: 'timestamp-nanos' } },
  { name: 'ticketId', type: { type: 'string', logicalType: 'uuid' } },
  { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 3, scale: 2 } },
  { name: 'rate', type: { type: 'fixed', name: 'Rate', namespace: 'shop', size: 8, logicalType: 'decimal', precision: 3, scale: 2 } },
  { name: 'term', type: { type: 'fixed', name: 'Term', namespace: 'shop', size: 12, logicalType: 'duration' } },
);

describe('an example of a schema', () => {
  it('has every kind of field filled in, and is what the bytes of it say', () => {
    const example = exampleOf(EVERY_KIND) as Record<string, unknown>;
    expect(example).toMatchObject({
      nullField: null, booleanField: true, intField: 1, bytesField: '0123', stringField: 'string field', enumField: 'RED', fixedField: '0123', arrayField: ['RED'], mapField: { key: 1 },
      nullableField: { string: 'nullable field' }, unionField: { int: 1 }, birthDate: 20_000, opensAt: 43_200_000, sentAt: 1_728_043_200_000_000, measuredAt: 1, price: '\u0001', rate: '\0\0\0\0\0\0\0\u0001',
    });
    expect(example['recordField']).toEqual({ label: 'label', next: null, children: [], named: {} });
    // avsc's own reading of the JSON, with unions as Avro writes them, gives the same bytes
    const judge = avro.Type.forSchema(EVERY_KIND as never, { wrapUnions: 'always' });
    expect(judge.toBuffer(judge.fromString(JSON.stringify(example))).equals(checkedType(EVERY_KIND).toBuffer(exampleValue(EVERY_KIND)))).toBe(true);
  });

  it('is accepted by the encoder that producers use', () => {
    const schema = record({ name: META_FIELD, type: META_SCHEMA }, { name: 'thingId', type: 'string' }, ...EVERY_KIND.fields!);
    const { meta: _meta, ...data } = exampleValue(schema) as Record<string, unknown>;
    const definition = { factName: 'shop.Thing', topic: { name: 'shop', owner: 'shop', keyField: 'thingId', partitions: 1, kind: 'facts', settings: {} } as const, keyField: 'thingId', schema };
    const { value } = new FactEncoder().encode({ type: definition, key: 'thing id', data, context: {} }, 1);
    const read = checkedType(schema).fromBuffer(value.subarray(RECORD_OFFSET)) as Record<string, unknown>;
    expect({ ...read, meta: undefined }).toEqual({ ...data, meta: undefined });
    const encode = (changed: object) => () => new FactEncoder().encode({ type: definition, key: 'thing id', data: { ...data, ...changed }, context: {} }, 1);
    expect(encode({ intField: 'one' })).toThrow(expect.objectContaining({ code: 'fact.invalid' })); // control: it does look
  });

  it('is always the same one', () => {
    expect(JSON.stringify(exampleOf(structuredClone(EVERY_KIND)))).toBe(JSON.stringify(exampleOf(EVERY_KIND)));
  });

  it('ends where types do not', () => {
    const tree = record({ name: 'node', type: node });
    expect(exampleOf(tree)).toEqual({ node: { label: 'label', next: null, children: [], named: {} } });
    const chain = record(...Array.from({ length: 24 }, (_each, at) => ({ name: `f${at}`, type: at === 0 ? { type: 'record', name: 'R0', namespace: 'shop', fields: [{ name: 'x', type: 'long' }] } : { type: 'record', name: `R${at}`, namespace: 'shop', fields: [{ name: 'a', type: `shop.R${at - 1}` }, { name: 'b', type: `shop.R${at - 1}` }] } })));
    expect(exampleOf(chain)).toBeUndefined(); // 16 million values
  });

  it.each([
    ['holds itself without end', record({ name: 'self', type: 'shop.Thing' })],
    ['has a fixed that nobody reads', record({ name: 'blob', type: { type: 'fixed', name: 'Blob', namespace: 'shop', size: 2_000_000_000 } })],
    ['is nested beyond what is read', Array.from({ length: 70 }).reduce<AvroNode>((inner, _each, at) => ({ type: 'record', name: `N${at}`, namespace: 'shop', fields: [{ name: 'n', type: at === 0 ? 'long' : inner }] }), { type: 'long' })],
  ])('there is none of a schema that %s', (_what, schema) => {
    expect(exampleOf(schema)).toBeUndefined();
  });

  it.each(['constructor', 'toString', '__proto__', 'nobody-knows'])('passes over the logical type %s', (logicalType) => {
    expect(exampleOf(record({ name: 'a', type: { type: 'int', logicalType } }))).toEqual({ a: 1 });
  });

  it('holds for invented schemas', () => {
    let shown = 0;
    for (let seed = 0; seed < 2_000; seed++) {
      const written = printed(Inventor.schema(new Dice(seed))) as AvroNode;
      const schema = registeredRecord(written);
      if (typeof schema === 'string' || schema.namespace === '' || !avscTakes(schema)) continue; // none that a fact may have
      const example = exampleOf(schema);
      if (example === undefined) continue;
      shown += 1;
      const judge = avro.Type.forSchema(schema as never, { wrapUnions: 'always' });
      expect(judge.isValid(judge.fromString(JSON.stringify(example)))).toBe(true);
    }
    expect(shown).toBeGreaterThan(200);
  });
});

function avscTakes(schema: AvroNode): boolean {
  try {
    checkedType(schema);
    return true;
  } catch {
    return false;
  }
}
