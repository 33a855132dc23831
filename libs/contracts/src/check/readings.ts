import { FactlineError, grouped } from 'factline/kernel';
import { type AvroField, type AvroJson, type AvroNode, fullNameOf, withTypes } from '../avro-json.js';
import { fingerprintOf } from '../canonical.js';
import { comparePrepared } from '../compatibility/compatibility.js';
import { Prepared } from '../compatibility/prepared.js';
import { META_FIELD } from '../meta.js';
import { allFields, readerSchema, selectFields } from '../selection.js';
import { type Part, type Parts, Partition, partOf } from './parts.js';
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
 * Who can read what. Schemas are compared by their parts: what is the same in both is not looked at again, each field is tried by itself once, and only what differs
 * is given to the engine. (300 subjects in 10 versions, each with a field more, and 30 apps: 1,500 pairs instead of 33,000.) Kept for one check.
 */
export class Readings {
  readonly #faults = new Map<string, readonly ReadingFault[]>();
  readonly #readers = new WeakMap<AvroNode, Map<string, AvroNode | undefined>>();
  readonly #prints = new WeakMap<AvroNode, string>();
  readonly #partition = new Partition();
  readonly #sound = new Map<string, boolean>();
  readonly #unsound = new WeakMap<Parts, WeakMap<Parts, readonly string[]>>();

  /** All faults: as registries decide it, and where they would accept it, as the library that reads here does. A schema that Avro for Java refuses cannot be read either. */
  faults(reader: AvroNode, writer: AvroNode): readonly ReadingFault[] {
    const [ours, theirs] = this.#partsOf(reader, writer);
    if (!ours) return this.#judged(readerSchema(reader), readerSchema(writer));
    const names = [...ours.keys()].filter((name) => ours.get(name)!.text !== theirs.get(name)?.text);
    const isSettled = (name: string) => ours.get(name)!.hasDefault && this.#isSound(ours.get(name)!);
    return this.#compared(names, isSettled, () => partOf(reader, new Set(names)), ours, writer, theirs);
  }

  /** What keeps a schema from being read even by itself. */
  faultsOf(schema: AvroNode): readonly ReadingFault[] {
    const parts = this.#partition.of(schema);
    const prepared = new Prepared(schema);
    return readingFaults(prepared, prepared, { js: !parts || ![...parts.values()].every((part) => this.#isSound(part)) });
  }

  /** The faults of a selection of one version that reads what was written with another; without `defaults` also what would come from one. */
  faultsOfSelection(known: AvroNode, select: Select, writer: AvroNode, { defaults }: { defaults: boolean }): readonly ReadingFault[] {
    if (!this.has(known, select)) return []; // nothing can be generated from that selection: it does not run, and `selects-unknown` or `selection-refused` says so
    const finished = (made: AvroNode) => (defaults ? made : (withoutDefaults(made) as AvroNode));
    const [ours, theirs] = this.#partsOf(known, writer);
    if (!ours) {
      const [reader, same] = [this.readerOf(known, select)!, this.readerOf(writer, select)];
      return same && this.print(same) === this.print(reader) ? [] : this.#judged(finished(reader), readerSchema(writer));
    }
    const selected = grouped(select === '*' ? allFields(known) : select, (path) => path.split('.', 1)[0]!);
    const names = [...selected.keys()].filter((name) => this.#textOf(known, ours, name, selected) !== this.#textOf(writer, theirs, name, selected));
    const isSettled = (name: string) => defaults && isWhole(name, selected) && ours.get(name)!.hasDefault && this.#isSound(ours.get(name)!);
    return this.#compared(names, isSettled, () => finished(this.readerOf(known, names.flatMap((name) => selected.get(name)!))!), ours, writer, theirs);
  }

  /** Whether a schema has all that is selected, and a reader can be made of it. */
  has(schema: AvroNode, select: Select): boolean {
    const parts = this.#partition.of(schema);
    const plainly = parts && select !== '*' && new Set(select).size === select.length && select.every((path) => path !== META_FIELD && parts.has(path));
    return plainly || this.readerOf(schema, select) !== undefined;
  }

  /** The reader schema of a selection; undefined when the schema has not all of it, or when no reader can be made of it. */
  readerOf(schema: AvroNode, select: Select): AvroNode | undefined {
    let readers = this.#readers.get(schema);
    if (!readers) this.#readers.set(schema, (readers = new Map()));
    const key = JSON.stringify(select); // a name in a contract may be any text: [a, b] is not ['a b']
    if (!readers.has(key)) readers.set(key, readerOf(schema, select));
    return readers.get(key);
  }

  /** Contract fingerprint: two schemas share it when they say the same. */
  print(schema: AvroNode): string {
    let print = this.#prints.get(schema);
    if (print === undefined) this.#prints.set(schema, (print = fingerprintOf(schema)));
    return print;
  }

  /**
   * Compares the fields of the reader that the writer has not or has otherwise with what the writer has under these names. Its other fields are skipped by whoever reads;
   * those that avsc cannot even skip, and that the reader has not as well, are left in.
   */
  #compared(names: readonly string[], isSettled: (name: string) => boolean, reader: () => AvroNode, ours: Parts, writer: AvroNode, theirs: Parts): readonly ReadingFault[] {
    const met = [...names.filter((name) => theirs.has(name)), ...this.#unsoundIn(theirs, ours)];
    if (met.length === 0 && names.every(isSettled)) return [];
    return this.#judged(reader(), partOf(writer, new Set(met)));
  }

  #judged(reader: AvroNode, writer: AvroNode): readonly ReadingFault[] {
    const pair = `${this.print(reader)} ${this.print(writer)}`;
    let found = this.#faults.get(pair);
    if (!found) this.#faults.set(pair, (found = readingFaults(new Prepared(reader), new Prepared(writer))));
    return found;
  }

  /** Both or none: only records of one name are compared by their parts. */
  #partsOf(reader: AvroNode, writer: AvroNode): readonly [Parts, Parts] | readonly [undefined, undefined] {
    const [ours, theirs] = [this.#partition.of(reader), this.#partition.of(writer)];
    return ours && theirs && fullNameOf(reader, undefined) === fullNameOf(writer, undefined) ? [ours, theirs] : [undefined, undefined];
  }

  /** Fields of a writer that avsc cannot read by themselves; not those that the reader's schema has as well. */
  #unsoundIn(theirs: Parts, ours: Parts): readonly string[] {
    let byReader = this.#unsound.get(theirs);
    if (!byReader) this.#unsound.set(theirs, (byReader = new WeakMap()));
    let names = byReader.get(ours);
    if (!names) byReader.set(ours, (names = [...theirs].filter(([name, part]) => ours.get(name)?.text !== part.text && !this.#isSound(part)).map(([name]) => name)));
    return names;
  }

  /** What is selected of one field: of all of it its text, of parts of it the fingerprint of their schema. */
  #textOf(schema: AvroNode, parts: Parts, name: string, selected: ReadonlyMap<string, readonly string[]>): string | undefined {
    if (isWhole(name, selected)) return parts.get(name)?.text;
    const reader = this.readerOf(schema, selected.get(name)!);
    return reader && this.print(reader);
  }

  /** Whether a field can be read with its own schema: what a schema consists of is tried once, however many versions and facts have it. */
  #isSound({ text }: Part): boolean {
    let sound = this.#sound.get(text);
    if (sound === undefined) {
      const alone = new Prepared({ type: 'record', name: 'Alone', namespace: 'factline.check', fields: [JSON.parse(text) as AvroField] });
      this.#sound.set(text, (sound = readingFaults(alone, alone).length === 0));
    }
    return sound;
  }
}

function isWhole(name: string, selected: ReadonlyMap<string, readonly string[]>): boolean {
  return selected.get(name)![0] === name;
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

function readerOf(schema: AvroNode, select: Select): AvroNode | undefined {
  try {
    return readerSchema(selectFields(schema, select === '*' ? allFields(schema) : select, { file: '', path: '' }));
  } catch (error) {
    if (error instanceof FactlineError && error.code.startsWith('contract.')) return undefined;
    throw error;
  }
}

function withoutDefaults(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(withoutDefaults);
  const { fields, ...out } = undefaulted(withTypes(schema, withoutDefaults));
  return fields ? { ...out, fields: fields.map(undefaulted) } : out;
}

function undefaulted<T extends AvroNode | AvroField>({ default: _dropped, ...rest }: T): T {
  return rest as T;
}
