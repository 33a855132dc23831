import type { AvroJson, AvroNode } from '../avro-json.js';
import { eachDefinition, fullNameOf } from '../avro-json.js';
import { type Definition, bundle } from '../bundle.js';
import { checkCompatibility } from '../compatibility/compatibility.js';
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

const told = (faults: readonly { rule: string; path: string }[]) => [...new Set(faults.map(({ rule, path }) => `${rule} ${path}`))].toSorted();

function plainly(reader: AvroNode, writer: AvroNode): string[] | 'refused' {
  try {
    const { compatible, incompatibilities, js } = checkCompatibility(reader, writer);
    return told(compatible ? js.faults.map(({ path }) => ({ rule: 'runtime-unreadable', path })) : incompatibilities.map(({ kind, path }) => ({ rule: kind, path })));
  } catch {
    return 'refused';
  }
}

describe('readings', () => {
  it('say what comparing whole schemas says, though they compare only what differs', () => {
    let compared = 0;
    let readable = 0;
    for (const [at, { reader, writer }] of [...schemaPairs(20_261_121, 1_500)].entries()) {
      const [one, other] = [declared(reader, at % 2 === 0), declared(writer, at % 2 === 0)];
      if (!one || !other) continue;
      const expected = plainly(one, other);
      const readings = new Readings();
      if (expected === 'refused' || readings.faultsOf(one).length > 0 || readings.faultsOf(other).length > 0) continue;
      compared++;
      if (expected.length === 0) readable++;
      const found = told(readings.faults(one, other));
      if (found.join() !== expected.join()) throw new Error(JSON.stringify({ reader: one, writer: other, expected, found }));
    }
    expect(compared).toBeGreaterThan(500);
    expect(readable).toBeGreaterThan(100);
    expect(compared - readable).toBeGreaterThan(100);
  });
});
