import { FactlineError } from 'factline/kernel';

/** Which schema of a pair. */
export type Side = 'reader' | 'writer';

/** A fault in one schema of a pair; `details.path` is a JSON pointer into it, empty for the whole. */
export function schemaError(code: string, side: Side, pointer: string, message: string, advice: string, details: Record<string, unknown> = {}): FactlineError {
  const place = pointer === '' ? `The ${side}'s schema` : `The ${side}'s schema at ${pointer}`;
  return new FactlineError({ code, kind: 'configuration', message: `${place}: ${message}`, advice, details: { schema: side, path: pointer, ...details } });
}

export function invalidSchema(side: Side, pointer: string, message: string): FactlineError {
  return schemaError('schema.invalid', side, pointer, message, 'See the Avro specification 1.12, "Schema Declaration".');
}

/** RFC 6901. */
export function pointerTo(parent: string, key: string | number): string {
  return `${parent}/${typeof key === 'number' ? key : key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
