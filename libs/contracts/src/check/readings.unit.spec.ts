import type { AvroJson, AvroNode } from '../avro-json.js';
import { eachDefinition, fullNameOf } from '../avro-json.js';
import { type Definition, bundle } from '../bundle.js';
import { canonicalJson } from '../canonical.js';
import { checkCompatibility } from '../compatibility/compatibility.js';
import { Dice } from '../compatibility/invented-schemas.spec.support.js';
import { schemaPairs } from '../compatibility/pairs.spec.support.js';
import { META_SCHEMA } from '../meta.js';
import { Readings } from './readings.js';

/** As a declared fact is: a record with metadata first, every name in full. Undefined when what was invented cannot be declared. */
function declared(schema: AvroJson, field: boolean): AvroNode | undefined {
  const definitions = new Map<string, Definition>();
  const root: AvroNode = field || typeof schema !== 'object' || Array.isArray(schema) || schema.type !== 'record' ? wrapped(schema) : { ...schema, fields: [META, ...(schema.fields ?? [])] };
  try {
    eachDefinition(root, (fullName, node, path) => {
      if (definitions.has(fullName)) throw new Error('defined twice');
      definitions.set(fullName, { fullName, file: 'a.avsc', path, node });
    });
    return bundle(definitions.get(fullNameOf(root, undefined)!)!, definitions);
  } catch {
    return undefined;
  }
}

const META = { name: 'meta', type: structuredClone(META_SCHEMA) as unknown as AvroNode };

function wrapped(schema: AvroJson): AvroNode {
  return { type: 'record', name: 'Wrapped', namespace: 'spec', fields: [META, { name: 'first', type: 'string' }, { name: 'value', type: schema }, { name: 'last', type: ['null', 'string'], default: null }] };
}

const REFUSED = ['schema-refused '];

const told = (faults: readonly { rule: string; path: string }[]) => [...new Set(faults.map(({ rule, path }) => `${rule} ${path}`))].toSorted();

function plainly(reader: AvroNode, writer: AvroNode): string[] {
  try {
    const { compatible, incompatibilities, js } = checkCompatibility(reader, writer);
    return told(compatible ? js.faults.map(({ path }) => ({ rule: 'runtime-unreadable', path })) : incompatibilities.map(({ kind, path }) => ({ rule: kind, path })));
  } catch {
    return REFUSED;
  }
}

/** Some fields of a schema; of a record now and then a part. */
function selectionOf(schema: AvroNode, dice: Dice): string[] {
  const fields = schema.fields!.filter(({ name }) => name !== 'meta' && dice.chance(60));
  return fields.map(({ name, type }) => {
    const inside = typeof type === 'object' && !Array.isArray(type) && type.type === 'record' ? (type.fields ?? []) : [];
    return inside.length > 0 && dice.chance(50) ? `${name}.${dice.of(inside).name}` : name;
  });
}

function withoutDefaults(schema: AvroJson): AvroJson {
  const bare = JSON.stringify(schema, (key, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) && 'type' in value ? { ...value, default: undefined } : value));
  return JSON.parse(bare) as AvroJson;
}

interface Declared {
  readonly reader: AvroNode;
  readonly writer: AvroNode;
  readonly dice: Dice;
}

/** Pairs that are sound by themselves: of the others the check says so once, and not again in each comparison. Writers are written as a declaration is, or as a lock. */
function* declaredPairs(readings: Readings, seed: number): Iterable<Declared> {
  for (const [at, pair] of [...schemaPairs(seed, 800)].entries()) {
    const [reader, writer] = [declared(pair.reader, at % 2 === 0), declared(pair.writer, at % 2 === 0)];
    if (!reader || !writer || plainly(reader, writer) === REFUSED) continue;
    if (readings.faultsOf(reader).length > 0 || readings.faultsOf(writer).length > 0) continue;
    yield { reader, writer: at % 3 === 0 ? (JSON.parse(canonicalJson(writer)) as AvroNode) : writer, dice: new Dice(at) };
  }
}

const SEED = 20_261_121;

describe('readings', () => {
  it('say what comparing whole schemas says, though they compare only what differs', () => {
    const readings = new Readings();
    const counts = { readable: 0, not: 0 };
    for (const { reader, writer } of declaredPairs(readings, SEED)) {
      const expected = plainly(reader, writer);
      counts[expected.length === 0 ? 'readable' : 'not']++;
      const found = told(readings.faults(reader, writer));
      if (found.join() !== expected.join()) throw new Error(JSON.stringify({ reader, writer, expected, found }));
    }
    expect(counts.readable).toBeGreaterThan(60);
    expect(counts.not).toBeGreaterThan(60);
  });

  it.each([true, false])('say of a selection what comparing its whole reader schema says (with defaults: %s)', (defaults) => {
    const readings = new Readings();
    const counts = { readable: 0, not: 0 };
    for (const { reader, writer, dice } of declaredPairs(readings, SEED + 1)) {
      const select = selectionOf(reader, dice);
      if (select.length === 0) continue;
      const selected = readings.readerOf(reader, select);
      const expected = selected ? plainly(defaults ? selected : (withoutDefaults(selected) as AvroNode), writer) : REFUSED;
      if (!selected || expected === REFUSED) continue; // a part of a type that contains itself
      counts[expected.length === 0 ? 'readable' : 'not']++;
      const found = told(readings.faultsOfSelection(reader, select, writer, { defaults }));
      if (found.join() !== expected.join()) throw new Error(JSON.stringify({ select, reader, writer, expected, found }));
    }
    expect(counts.readable).toBeGreaterThan(60);
    expect(counts.not).toBeGreaterThan(60);
  });

  it('say of a schema by itself what comparing it with itself says', () => {
    const readings = new Readings();
    const counts = { sound: 0, not: 0 };
    for (const [at, { reader }] of [...schemaPairs(SEED + 2, 600)].entries()) {
      const schema = declared(reader, at % 2 === 0);
      if (!schema) continue;
      const expected = plainly(schema, schema);
      const found = told(readings.faultsOf(schema));
      counts[expected.length === 0 ? 'sound' : 'not']++;
      expect(found).toEqual(expected);
    }
    expect(counts.sound).toBeGreaterThan(60);
    expect(counts.not).toBeGreaterThan(10);
  });

  it('see that a type has changed which both versions define in fields that the other has not', () => {
    const address = (...names: string[]) => ({ type: 'record', name: 'Address', namespace: 'spec', fields: names.map((name) => ({ name, type: 'string' })) });
    const moved = (fields: AvroNode['fields']): AvroNode => ({ type: 'record', name: 'Moved', namespace: 'spec', fields: [META, ...fields!] });
    const before = moved([{ name: 'home', type: address('street') }, { name: 'work', type: 'spec.Address' }]);
    const after = moved([{ name: 'house', type: ['null', address('street', 'zip')], default: null }, { name: 'work', type: 'spec.Address' }]);
    expect(told(new Readings().faults(after, before))).toEqual(['field-without-default work.zip']);
    expect(told(new Readings().faultsOfSelection(after, ['work'], before, { defaults: true }))).toEqual(['field-without-default work.zip']);
  });

  it('see that avsc cannot read a version, though the fields that differ are skipped', () => {
    const noted = (fields: AvroNode['fields']): AvroNode => ({ type: 'record', name: 'Noted', namespace: 'spec', fields: [META, ...fields!, { name: 'note', type: 'string' }] });
    const before = noted([{ name: 'odd', type: ['null', 'string'], default: 'text of the second branch' }]);
    expect(told(new Readings().faults(noted([]), before))).toEqual(plainly(noted([]), before));
    expect(plainly(noted([]), before)).toEqual(['runtime-unreadable ']);
    expect(told(new Readings().faultsOfSelection(noted([{ name: 'added', type: 'int', default: 1 }]), ['note', 'added'], before, { defaults: true }))).toEqual(['runtime-unreadable ']);
  });
});
