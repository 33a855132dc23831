import type { SchemaNode, UnionNode } from './parsed-schema.js';

const INT_END = 2 ** 31;
const LONG_END = 2 ** 63;
/** What java.lang.Double.parseDouble takes. */
const JAVA_DOUBLE = /^[\0-\x20]*[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|0x([\da-f]+\.?[\da-f]*|\.[\da-f]+)p[+-]?\d+)[fd]?)[\0-\x20]*$/i;

/** Whether a text may stand for the default of a float or double field: names of numbers are case-sensitive in Java, the rest is not. */
export function isDoubleText(text: string): boolean {
  return JAVA_DOUBLE.test(text) && (!/[ny]/i.test(text) || /NaN|Infinity/.test(text));
}

/**
 * Whether JSON can be the default of a type, as Java's parser sees it: any branch of a union may take it, and a text is enough for bytes, enum and fixed.
 * A value that is met again with the same type is not looked at again: unions in unions of records would double the work at each level.
 */
export class DefaultCheck {
  readonly #known = new Map<SchemaNode, Map<object, boolean>>();

  constructor(
    private readonly isFinished: (type: SchemaNode) => boolean,
    /** Asked for an object that is to be a record of a type which is not finished. @returns whether it counts as valid, or throws. */
    private readonly unfinished: () => boolean,
  ) {}

  accepts(type: SchemaNode, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return this.#acceptsScalar(type, value);
    let known = this.#known.get(type);
    if (!known) this.#known.set(type, (known = new Map()));
    let answer = known.get(value);
    if (answer === undefined) known.set(value, (answer = this.#acceptsObject(type, value)));
    return answer;
  }

  #acceptsScalar(type: SchemaNode, value: unknown): boolean {
    switch (type.kind) {
      case 'null':
        return value === null;
      case 'boolean':
        return typeof value === 'boolean';
      case 'int':
        return Number.isInteger(value) && (value as number) >= -INT_END && (value as number) < INT_END;
      case 'long':
        return Number.isInteger(value) && Math.abs(value as number) < LONG_END;
      case 'float':
      case 'double':
        return typeof value === 'number';
      case 'string':
      case 'bytes':
      case 'enum':
      case 'fixed':
        return typeof value === 'string';
      case 'union':
        return this.#someBranch(type, value);
      case 'reference':
        return type.target !== undefined && this.accepts(type.target, value);
      default:
        return false;
    }
  }

  #acceptsObject(type: SchemaNode, value: object): boolean {
    if (type.kind === 'union') return this.#someBranch(type, value);
    if (type.kind === 'reference' && type.target) return this.accepts(type.target, value);
    if (Array.isArray(value)) return type.kind === 'array' && this.#all(type.items, value);
    if (type.kind === 'map') return this.#all(type.items, Object.values(value));
    if (type.kind !== 'record') return type.kind === 'reference' && this.unfinished();
    if (!this.isFinished(type)) return this.unfinished();
    for (const field of type.fields) {
      const given = Object.hasOwn(value, field.name) ? (value as Record<string, unknown>)[field.name] : undefined;
      // a field that the value leaves out takes its own default, which was checked with the field
      if (given === undefined ? field.default === undefined : !this.accepts(field.type, given)) return false;
    }
    return true;
  }

  // loops, not every() and some(): a default may be as deep as a schema, and a call less at each level keeps it within the stack
  #someBranch({ branches }: UnionNode, value: unknown): boolean {
    for (const branch of branches) if (this.accepts(branch, value)) return true;
    return false;
  }

  #all(items: SchemaNode, values: readonly unknown[]): boolean {
    for (const each of values) if (each !== undefined && !this.accepts(items, each)) return false;
    return true;
  }
}
