import type { AvroJson, AvroNode } from '../avro-json.js';
import { Dice, Inventor } from './invented-schemas.spec.support.js';
import { mutate } from './schema-mutations.spec.support.js';
import { printed } from './schema-shapes.spec.support.js';

export interface SchemaPair {
  readonly id: string;
  readonly reader: AvroJson;
  readonly writer: AvroJson;
}

const REFUSED_PERCENT = 2;
const SWAPPED_PERCENT = 40;
/** How often a reader is its writer changed this many times. */
const CHANGES = { 0: 4, 1: 30, 2: 32, 3: 22, 4: 12 };

/**
 * Pairs of related schemas, the same ones for the same seed: about half are compatible, each kind of incompatibility is there many times,
 * and two in a hundred hold a schema that no parser takes. A pair depends on its own number only, so a longer list begins like a shorter one.
 */
export function* schemaPairs(seed: number, count: number): Iterable<SchemaPair> {
  for (let at = 0; at < count; at++) yield pair(seed, at);
}

function pair(seed: number, at: number): SchemaPair {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) + Math.imul(at, 0x85ebca6b));
  const before = Inventor.schema(dice);
  const after = structuredClone(before);
  for (let left = Number(dice.weighted(CHANGES)); left > 0; left--) mutate(after, dice);
  const two = [printed(after), printed(before)];
  if (dice.chance(REFUSED_PERCENT)) {
    const spoiled = dice.below(2);
    two[spoiled] = spoil(two[spoiled]!, dice);
  }
  if (dice.chance(SWAPPED_PERCENT)) two.reverse();
  return { id: `${seed}-${at}`, reader: two[0]!, writer: two[1]! };
}

/** One fault that Avro's parser refuses, in a node that can have it. */
function spoil(schema: AvroJson, dice: Dice): AvroJson {
  const nodes = nodesOf(schema);
  const faults = nodes.flatMap((node) => [...faultsOf(node)]);
  if (faults.length === 0) return dice.of<AvroJson>(['nowhere', ['int', 'int'], [['null'], 'int'], { type: 'array', items: 'shop.Nowhere' }]);
  dice.of(faults)();
  return schema;
}

function* faultsOf(node: AvroNode): Iterable<() => void> {
  if (node.name === undefined) return;
  yield () => (node.name = '9-lives');
  yield () => (node.namespace = 'shop..orders');
  yield () => (node['aliases'] = 'Former');
  if (node.fields !== undefined) {
    yield () => node.fields!.push({ name: 'twice', type: 'int' }, { name: 'twice', type: 'long' });
    yield () => node.fields!.push({ name: 'wrong', type: 'int', default: 'seven' });
    yield () => node.fields!.push({ name: 'lost', type: 'Nowhere' });
    yield () => node.fields!.push({ name: 'sorted', type: 'int', order: 'upwards' });
    yield () => node.fields!.push({ name: 'nested', type: ['null', ['int']] });
    yield () => node.fields!.push({ name: 'defined', type: { type: 'fixed', name: node.name!, namespace: node.namespace ?? '', size: 3 }, aliases: [3] });
  }
  if (node.symbols !== undefined) {
    yield () => node.symbols!.push('TWICE', 'TWICE');
    yield () => node.symbols!.push('with blank');
    yield () => (node.default = 'UNKNOWN');
  }
  if (node.size !== undefined) yield () => (node.size = -1);
}

function nodesOf(schema: AvroJson): AvroNode[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return schema.flatMap(nodesOf);
  const below = [schema.items, schema.values, ...(schema.fields ?? []).map(({ type }) => type)];
  return [schema, ...below.flatMap((each) => (each === undefined ? [] : nodesOf(each)))];
}
