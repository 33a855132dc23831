import type { AvroField, AvroJson, AvroNode } from '../avro-json.js';
import type { SchemaPair } from './pairs.spec.support.js';

/** One thing less; the same place has the same label in the reader and in the writer. */
type Simpler = readonly [label: string, schema: AvroJson];

const UNNEEDED = ['doc', 'order', 'aliases', 'default', 'logicalType', 'confluent:tags', 'namespace'];
/** More than any generated pair has parts. */
const MOST_ROUNDS = 100;

/** The smallest pair reached by taking one thing away at a time, from the reader, the writer or both, for as long as `fails` says that one of them still fails. */
export async function shrunk(pair: SchemaPair, fails: (candidates: readonly SchemaPair[]) => Promise<readonly boolean[]>): Promise<SchemaPair> {
  let smallest = pair;
  for (let left = MOST_ROUNDS; left > 0; left--) {
    const candidates = candidatesOf(smallest);
    const failing = await fails(candidates);
    const next = candidates.find((_, at) => failing[at]);
    if (next === undefined) break;
    smallest = next;
  }
  return smallest;
}

function candidatesOf({ id, reader, writer }: SchemaPair): SchemaPair[] {
  const [readers, writers] = [[...simpler(reader)], [...simpler(writer)]];
  const both = readers.flatMap(([label, less]) => writers.filter(([other]) => other === label).map(([, written]) => ({ id, reader: less, writer: written })));
  const alone = [...readers.map(([, less]) => ({ id, reader: less, writer })), ...writers.map(([, less]) => ({ id, reader, writer: less }))];
  return [...both, ...alone].toSorted((left, right) => sizeOf(left) - sizeOf(right));
}

export function sizeOf({ reader, writer }: SchemaPair): number {
  return JSON.stringify([reader, writer]).length;
}

function* simpler(schema: AvroJson): Iterable<Simpler> {
  if (typeof schema === 'string') return;
  if (Array.isArray(schema)) {
    for (const [at, branch] of schema.entries()) {
      yield [`|${at}`, branch];
      yield [`-|${at}`, schema.toSpliced(at, 1)];
      for (const [label, less] of simpler(branch)) yield [`|${at}${label}`, schema.with(at, less)];
    }
    return;
  }
  yield* without(schema);
  for (const part of ['items', 'values', 'type'] as const) {
    const below = schema[part];
    if (below === undefined || (part === 'type' && typeof below === 'string')) continue;
    yield [`/${part}`, below];
    for (const [label, less] of simpler(below)) yield [`/${part}${label}`, { ...schema, [part]: less }];
  }
  for (const symbol of schema.symbols ?? []) yield [`-${symbol}`, { ...schema, symbols: schema.symbols!.filter((each) => each !== symbol) }];
  for (const [at, field] of (schema.fields ?? []).entries()) yield* fieldSimpler(schema, at, field);
}

function* fieldSimpler(record: AvroNode, at: number, field: AvroField): Iterable<Simpler> {
  const fields = record.fields!;
  yield [`/${field.name}`, field.type];
  yield [`-/${field.name}`, { ...record, fields: fields.toSpliced(at, 1) }];
  const changed = [...without(field), ...[...simpler(field.type)].map(([label, type]): [string, AvroField] => [label, { ...field, type }])];
  for (const [label, less] of changed) yield [`/${field.name}${label}`, { ...record, fields: fields.with(at, less) }];
}

function* without<T extends AvroNode | AvroField>(node: T): Iterable<[label: string, node: T]> {
  for (const attribute of UNNEEDED.filter((each) => each in node)) {
    const { [attribute]: _, ...rest } = node;
    yield [`-${attribute}`, rest as unknown as T];
  }
}
