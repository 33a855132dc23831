import { FactlineError } from 'factline/kernel';
import { type AvroField, type AvroJson, type AvroNode, fullNameOf } from '../avro-json.js';
import { canonicalJson, fingerprintOf } from '../canonical.js';
import { comparePrepared } from '../compatibility/compatibility.js';
import { Prepared } from '../compatibility/prepared.js';
import { META_FIELD } from '../meta.js';
import { allFields, readerSchema, selectFields } from '../selection.js';
import type { RuleId } from './rules.js';

/** Why a reader cannot read what a writer wrote. */
export interface ReadingFault {
  readonly rule: RuleId;
  readonly path: string;
  readonly message: string;
  readonly readerType: string;
}

/** Field paths, or all of them. */
export type Select = readonly string[] | '*';

/**
 * Who can read what. Each pair of schemas that differ in what resolution looks at is judged once; most versions do not differ in what an app selects, and a reader
 * of the very selection of a schema reads it. (300 subjects in 10 versions with 30 apps: 5,700 pairs instead of 33,000.) Kept for one check, about 1 KB a pair.
 */
export class Readings {
  readonly #faults = new Map<string, readonly ReadingFault[]>();
  readonly #readers = new WeakMap<AvroNode, Map<string, AvroNode | undefined>>();
  readonly #bare = new WeakMap<AvroNode, AvroNode>();
  readonly #withoutDefaults = new WeakMap<AvroNode, AvroNode>();
  readonly #prints = new WeakMap<AvroNode, string>();
  readonly #prepared = new WeakMap<AvroNode, Prepared>();
  readonly #fields = new WeakMap<AvroNode, ReadonlyMap<string, string> | false>();

  /** All faults: as registries decide it, and where they would accept it, as the library that reads here does. A schema that Avro for Java refuses cannot be read either. */
  faults(reader: AvroNode, writer: AvroNode): readonly ReadingFault[] {
    return this.#judged(this.#bareOf(reader), this.#bareOf(writer));
  }

  /** What keeps a schema from being read even by itself. */
  faultsOf(schema: AvroNode): readonly ReadingFault[] {
    return readingFaults(this.#preparedOf(schema), this.#preparedOf(schema));
  }

  /** The faults of a selection of one version that reads what was written with another; without `defaults` also what would come from one. */
  faultsOfSelection(known: AvroNode, select: Select, writer: AvroNode, { defaults }: { defaults: boolean }): readonly ReadingFault[] {
    const reader = this.readerOf(known, select);
    if (!reader) return []; // it selects what its own schemas do not have: it does not run, and `selects-unknown` says so
    const same = this.readerOf(writer, select);
    if (same && this.print(same) === this.print(reader)) return [];
    return this.#judged(defaults ? reader : this.#strippedOf(reader), this.#bareOf(writer));
  }

  /** The reader schema of a selection; undefined when the schema has not all of it. */
  readerOf(schema: AvroNode, select: Select): AvroNode | undefined {
    let readers = this.#readers.get(schema);
    if (!readers) this.#readers.set(schema, (readers = new Map()));
    const key = select === '*' ? '*' : select.join(' ');
    if (!readers.has(key)) readers.set(key, readerOf(schema, select));
    return readers.get(key);
  }

  /** Contract fingerprint: two schemas share it when they say the same. */
  print(schema: AvroNode): string {
    return kept(this.#prints, schema, fingerprintOf);
  }

  #judged(reader: AvroNode, writer: AvroNode): readonly ReadingFault[] {
    const [one, other] = [this.print(reader), this.print(writer)];
    if (one === other) return [];
    const pair = `${one} ${other}`;
    let found = this.#faults.get(pair);
    if (!found) this.#faults.set(pair, (found = this.#compared(reader, writer)));
    return found;
  }

  /**
   * Compares without the fields that are the same text in both: these read each other, and a type that a remaining field shares with them is written out there. Versions
   * differ in few fields, and building avsc's types goes with their number. When all that remains is in one of them only, it is either missed or has a default, and avsc,
   * which has read each schema by itself, has nothing to add. Not where aliases make one field another, nor where a part cannot stand alone.
   */
  #compared(reader: AvroNode, writer: AvroNode): readonly ReadingFault[] {
    const [ours, theirs] = [kept(this.#fields, reader, fieldTexts), kept(this.#fields, writer, fieldTexts)];
    const whole = () => readingFaults(this.#preparedOf(reader), this.#preparedOf(writer));
    if (!ours || !theirs || fullNameOf(reader, undefined) !== fullNameOf(writer, undefined) || ours.get(META_FIELD) !== theirs.get(META_FIELD)) return whole();
    const differing = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>) => [...one.keys()].filter((name) => name !== META_FIELD && one.get(name) !== other.get(name));
    const [less, other] = [partOf(reader, differing(ours, theirs)), partOf(writer, differing(theirs, ours))];
    if (!less || !other) return whole();
    const shared = less.fields!.some(({ name }) => theirs.has(name));
    return readingFaults(new Prepared(less), new Prepared(other), { js: shared });
  }

  #preparedOf(schema: AvroNode): Prepared {
    return kept(this.#prepared, schema, (json) => new Prepared(json));
  }

  /** Without documentation and tags, which resolution does not look at. */
  #bareOf(schema: AvroNode): AvroNode {
    return kept(this.#bare, schema, readerSchema);
  }

  #strippedOf(schema: AvroNode): AvroNode {
    return kept(this.#withoutDefaults, schema, (whole) => withoutDefaults(whole) as AvroNode);
  }
}

function kept<T>(cache: WeakMap<AvroNode, T>, schema: AvroNode, make: (schema: AvroNode) => T): T {
  let made = cache.get(schema);
  if (made === undefined) cache.set(schema, (made = make(schema)));
  return made;
}

function readingFaults(reader: Prepared, writer: Prepared, asks = { js: true }): ReadingFault[] {
  try {
    const result = comparePrepared(reader, writer);
    const { compatible, incompatibilities } = result;
    if (!compatible) return incompatibilities.map(({ kind, path, message, readerType }) => ({ rule: kind, path, message, readerType }));
    return !asks.js ? [] : result.js.faults.map(({ path, message }) => ({ rule: 'runtime-unreadable', path, message, readerType: '' }));
  } catch (error) {
    if (!(error instanceof FactlineError) || !error.code.startsWith('schema.')) throw error;
    return [{ rule: 'schema-refused', path: '', message: error.message, readerType: '' }];
  }
}

/** Each field of a record as text; false when aliases are in play. */
function fieldTexts({ fields, name, namespace }: AvroNode): ReadonlyMap<string, string> | false {
  const texts = new Map((fields ?? []).map((field) => [field.name, canonicalJson(field)]));
  const whole = `${namespace}.${name}`;
  return [...texts.values()].some((text) => text.includes('"aliases"') || text.includes(JSON.stringify(whole))) ? false : texts;
}

function partOf(schema: AvroNode, names: readonly string[]): AvroNode | undefined {
  return names.length === 0 ? { ...schema, fields: [] } : readerOf(schema, names);
}

function readerOf(schema: AvroNode, select: Select): AvroNode | undefined {
  try {
    return readerSchema(selectFields(schema, select === '*' ? allFields(schema) : select, { file: '', path: '' }));
  } catch (error) {
    if ((error as FactlineError).code === 'contract.unknown-field') return undefined;
    throw error;
  }
}

function withoutDefaults(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(withoutDefaults);
  const { default: _dropped, ...out } = schema;
  if (out.fields) out.fields = out.fields.map((field) => withoutDefaults(field as AvroNode) as AvroField);
  if (out.items !== undefined) out.items = withoutDefaults(out.items);
  if (out.values !== undefined) out.values = withoutDefaults(out.values);
  if (typeof out.type === 'object') out.type = withoutDefaults(out.type);
  return out;
}
