import { type AvroJson, type AvroNode, fullNameOf, isPrimitive } from '../avro-json.js';
import { type Filling, fixedValue, logicalValue, plainValue } from './scalars.js';

/** Values of one example, those that were tried and given up included: enough for 100 nested records of ten fields, and types that hold each other twice end. */
const VALUES = 1_000;

/** Longest fixed, in bytes: no person reads more. */
const LONGEST = 1_000;

/** What is decided at a place, which otherwise the filling decides: see `decision`. */
export type Decisions = ReadonlyMap<string, number>;

type Decided = 'branch' | 'symbol' | 'elements' | 'left out';

export function decision(what: Decided, place: string): string {
  return `${what} ${place}`;
}

/** What `elements` may be decided to be. */
export const EMPTY = 0;
export const FILLED = 1;

export interface Making {
  readonly filling: Filling;
  /** Elements of each array and map that has any. */
  readonly elements?: number;
  readonly decisions?: Decisions;
}

/**
 * A value of a bundled schema as the encoder takes it, always the same one. A record that contains itself ends at the second time, but where a decision asks for it once more.
 * Undefined where there is none: a record that holds itself without end, more than 1,000 values, a fixed of more than 1,000 bytes, a decision at a place that is not in the value.
 */
export function madeValue(schema: AvroNode, definitions: ReadonlyMap<string, AvroNode>, making: Making): unknown {
  const maker = new Maker(definitions, making);
  const value = maker.of(schema, 'value', '');
  return new Set(maker.taken).size === (making.decisions?.size ?? 0) ? value : undefined;
}

/** Where a branch's value is: the place of the union, and which branch, when null does not leave one only. */
export function placeOfBranch(place: string, branches: readonly AvroJson[], branch: AvroJson): string {
  return branches.filter((each) => each !== 'null').length < 2 ? place : `${place}<${nameOfBranch(branch)}>`;
}

export function nameOfBranch(branch: AvroJson): string {
  if (typeof branch === 'string') return branch;
  if (Array.isArray(branch)) return 'union'; // Avro has none in a union
  return fullNameOf(branch, undefined) ?? nameOfBranch(branch.type);
}

export function placeOfField(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`;
}

class Maker {
  /** Decisions that are in the value. */
  readonly taken: string[] = [];
  #open: Set<string> = new Set();
  #made = 0;

  constructor(
    private readonly definitions: ReadonlyMap<string, AvroNode>,
    private readonly making: Making,
  ) {}

  /** Undefined: there is none that ends. */
  of(schema: AvroJson, name: string, place: string): unknown {
    const taken = this.taken.length;
    const value = ++this.#made > VALUES ? undefined : this.#valueOf(schema, name, place);
    if (value === undefined) this.taken.length = taken; // whatever was decided in what is given up
    return value;
  }

  #valueOf(schema: AvroJson, name: string, place: string): unknown {
    if (typeof schema === 'string') return isPrimitive(schema) ? plainValue(schema, name, this.making.filling) : this.of(this.definitions.get(schema)!, name, place);
    if (Array.isArray(schema)) return this.#union(schema, name, place);
    return this.#node(schema, name, place);
  }

  #node(schema: AvroNode, name: string, place: string): unknown {
    const { filling } = this.making;
    if (schema.type === 'record') return this.#record(schema, place);
    if (schema.type === 'enum') return schema.symbols![this.#decided('symbol', place) ?? (filling === 'most' ? schema.symbols!.length - 1 : 0)];
    if (schema.type === 'fixed') return schema.size! > LONGEST ? undefined : (logicalValue(schema, filling) ?? fixedValue(schema.size!, filling));
    if (schema.items !== undefined) return this.#elements(schema.items, name, place, '[]');
    if (schema.values !== undefined) return Object.fromEntries(this.#elements(schema.values, name, place, '{}')?.map((value, at) => [at === 0 ? 'key' : `key ${at + 1}`, value]) ?? []);
    return logicalValue(schema, filling) ?? this.of(schema.type, name, place);
  }

  #elements(of: AvroJson, name: string, place: string, mark: '[]' | '{}'): unknown[] {
    const decided = this.#decided('elements', place);
    if (decided === EMPTY || (decided === undefined && this.making.filling === 'least')) return [];
    const element = () => this.of(of, name, place + mark);
    const found = Array.from({ length: this.making.elements ?? 1 }, () => (decided === FILLED ? this.#onceMore(element) : element()));
    return found.filter((each) => each !== undefined);
  }

  #record(record: AvroNode, place: string): unknown {
    const fullName = fullNameOf(record, undefined)!;
    if (this.#open.has(fullName)) return undefined;
    this.#open.add(fullName);
    const entries = this.#entries(record, place);
    this.#open.delete(fullName);
    return entries && Object.fromEntries(entries);
  }

  #entries(record: AvroNode, place: string): [string, unknown][] | undefined {
    const entries: [string, unknown][] = [];
    for (const field of record.fields!) {
      const at = placeOfField(place, field.name);
      if (this.#decided('left out', at) !== undefined) continue;
      const value = this.of(field.type, field.name, at);
      if (value === undefined) return undefined;
      entries.push([field.name, value]);
    }
    return entries;
  }

  /** The first branch with a value; null only when there is nothing else, or there should be little. */
  #union(branches: readonly AvroJson[], name: string, place: string): unknown {
    const decided = this.#decided('branch', place);
    const valueOf = (branch: AvroJson) => this.of(branch, name, placeOfBranch(place, branches, branch));
    if (decided !== undefined) return this.#onceMore(() => valueOf(branches[decided]!));
    if (this.making.filling === 'least' && branches.includes('null')) return null;
    for (const branch of branches) {
      const value = branch === 'null' ? undefined : valueOf(branch);
      if (value !== undefined) return value;
    }
    return branches.includes('null') ? null : undefined;
  }

  #decided(what: Decided, place: string): number | undefined {
    const key = decision(what, place);
    const decided = this.making.decisions?.get(key);
    if (decided !== undefined) this.taken.push(key);
    return decided;
  }

  /** What was asked for by name may contain what it is in, one time. */
  #onceMore(make: () => unknown): unknown {
    const open = this.#open;
    this.#open = new Set();
    const value = make();
    this.#open = open;
    return value;
  }
}
