import { SCHEMA_JSON_MAX_DEPTH, SCHEMA_MAX_NODES } from '../limits.js';
import { type Side, invalidSchema, pointerTo, schemaError } from './schema-error.js';

/**
 * Refuses what is no JSON, and what is too deep or too large, before anything reads it by recursion: objects that hold themselves,
 * and objects that are shared so often that their JSON would be huge, count as what they would be written as.
 * @throws FactlineError `schema.invalid`, `schema.cycle`, `schema.too-deep`, `schema.too-large`.
 */
export function checkSize(schema: unknown, side: Side): void {
  new Walk(side).visit(schema, '', 0);
}

class Walk {
  readonly #open = new Set<object>();
  #values = 0;

  constructor(private readonly side: Side) {}

  visit(value: unknown, pointer: string, depth: number): void {
    if (++this.#values > SCHEMA_MAX_NODES) {
      throw schemaError('schema.too-large', this.side, '', `it has more than ${SCHEMA_MAX_NODES} JSON values.`, 'Split the type, and name what is repeated.', { limit: SCHEMA_MAX_NODES });
    }
    if (typeof value !== 'object' || value === null) return this.#scalar(value, pointer);
    if (this.#open.has(value)) throw schemaError('schema.cycle', this.side, pointer, 'the object contains itself.', 'Let a type refer to itself by its name.');
    if (depth === SCHEMA_JSON_MAX_DEPTH) {
      throw schemaError('schema.too-deep', this.side, '', `it is nested more than ${SCHEMA_JSON_MAX_DEPTH} deep.`, 'Nest less: define a type once and use its name.', { limit: SCHEMA_JSON_MAX_DEPTH });
    }
    this.#open.add(value);
    if (Array.isArray(value)) for (let at = 0; at < value.length; at++) this.visit(value[at], pointerTo(pointer, at), depth + 1);
    else for (const key of Object.keys(value)) this.visit((value as Record<string, unknown>)[key], pointerTo(pointer, key), depth + 1);
    this.#open.delete(value);
  }

  #scalar(value: unknown, pointer: string): void {
    if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
    throw invalidSchema(this.side, pointer, `a ${typeof value === 'number' ? String(value) : typeof value} is no JSON.`);
  }
}
