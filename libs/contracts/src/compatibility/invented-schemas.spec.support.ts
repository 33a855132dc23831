import { type FieldShape, type NamedShape, type SchemaShape, type Shape, fullNameOfShape } from './schema-shapes.spec.support.js';

/** Choices that are the same for the same seed. Source: mulberry32 (Tommy Ettinger, public domain). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }

  /** One key of `weights`, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights) as [K, number][];
    let at = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return entries[0]![0];
  }
}

export const NAMESPACES = ['', 'shop', 'shop.orders', 'billing'] as const;
const TYPE_NAMES = ['Order', 'Line', 'Customer', 'Status', 'Money', 'Address', 'Digest', 'Kind', 'Parcel', 'Reason'] as const;
export const FIELD_NAMES = ['id', 'total', 'name', 'placedAt', 'lines', 'status', 'parent', 'note', 'weight', 'city'] as const;
export const SYMBOLS = ['NEW', 'PAID', 'SENT', 'DONE', 'LOST'] as const;
export const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;

const LOGICAL: Readonly<Record<string, readonly string[]>> = { int: ['date', 'time-millis'], long: ['timestamp-millis', 'timestamp-micros'], bytes: ['decimal'], string: ['uuid'] };
const DEEPEST = 4;

/** Invents schemas: records in records, recursion, repeated references, several namespaces. */
export class Inventor {
  constructor(
    private readonly dice: Dice,
    private readonly schema: SchemaShape,
    private readonly home: string,
  ) {}

  static schema(dice: Dice): SchemaShape {
    const schema: SchemaShape = { root: { kind: 'primitive', name: 'null' }, named: new Map() };
    const inventor = new Inventor(dice, schema, dice.of(NAMESPACES));
    schema.root = dice.chance(85) ? inventor.named('record', 0) : inventor.shape(0);
    return schema;
  }

  shape(depth: number): Shape {
    const { dice } = this;
    const deep = depth >= DEEPEST ? 0 : 1;
    const kind = dice.weighted({ primitive: 36, nullable: 14, union: 6 * deep, array: 8 * deep, map: 5 * deep, record: 12 * deep, enum: 14, fixed: 9, known: 10 });
    switch (kind) {
      case 'nullable':
        return { kind: 'union', branches: dice.shuffled<Shape>([{ kind: 'primitive', name: 'null' }, this.shape(depth + 1)]) };
      case 'union':
        return { kind: 'union', branches: Array.from({ length: 1 + dice.below(4) }, () => this.shape(depth + 2)) };
      case 'array':
      case 'map':
        return { kind, of: this.shape(depth + 1) };
      case 'record':
      case 'enum':
      case 'fixed':
        return this.named(kind, depth + 1);
      case 'known':
        return this.schema.named.size === 0 ? this.primitive() : { kind: 'named', id: dice.of([...this.schema.named.keys()]) };
      case 'primitive':
        return this.primitive();
    }
  }

  primitive(): Shape {
    const name = this.dice.of(PRIMITIVES);
    const logicalTypes = LOGICAL[name];
    return logicalTypes !== undefined && this.dice.chance(20) ? { kind: 'primitive', name, logicalType: this.dice.of(logicalTypes) } : { kind: 'primitive', name };
  }

  named(kind: 'record' | 'enum' | 'fixed', depth: number): Shape {
    const { dice } = this;
    const id = String(this.schema.named.size);
    const namespace = dice.chance(85) ? this.home : dice.of(NAMESPACES);
    const shared = { name: this.unusedName(namespace), namespace, dotted: dice.chance(20), aliases: dice.chance(10) ? [`Former${dice.below(3)}`] : [] };
    if (kind === 'enum') {
      const body = { kind, symbols: dice.shuffled(SYMBOLS).slice(0, 1 + dice.below(SYMBOLS.length)), hasDefault: dice.chance(30) };
      this.schema.named.set(id, { ...shared, body });
    } else if (kind === 'fixed') {
      this.schema.named.set(id, { ...shared, body: { kind, size: 1 + dice.below(4) } });
    } else {
      const fields: FieldShape[] = [];
      // known before its fields are, so that they may refer to it
      this.schema.named.set(id, { ...shared, body: { kind: dice.chance(3) ? 'error' : kind, fields } });
      for (const name of dice.shuffled(FIELD_NAMES).slice(0, dice.below(5) + (depth === 0 ? 1 : 0))) fields.push(this.field(name, depth));
    }
    return { kind: 'named', id };
  }

  field(name: string, depth: number): FieldShape {
    const { dice } = this;
    const extra: FieldShape['extra'] = {};
    if (dice.chance(15)) extra.doc = `The ${name}.`;
    if (dice.chance(5)) extra.order = dice.of(['ascending', 'descending', 'ignore']);
    if (dice.chance(5)) extra['confluent:tags'] = ['PII'];
    return { name, type: this.shape(depth + 1), hasDefault: dice.chance(35), aliases: dice.chance(5) ? [`former_${name}`] : [], extra };
  }

  unusedName(namespace: string): string {
    const taken = new Set([...this.schema.named.values()].map((each: NamedShape) => fullNameOfShape(each)));
    const free = TYPE_NAMES.filter((name) => !taken.has(namespace === '' ? name : `${namespace}.${name}`));
    return free.length > 0 ? this.dice.of(free) : `Type${taken.size}`;
  }
}
