import { type Faults, fieldFaults, sentence } from './names.js';

/** A field of a new fact, as `--field totalCents:long:"What it costs."` says it. */
export interface NewField {
  readonly name: string;
  readonly type: string | object | readonly (string | object)[];
  readonly doc: string;
  readonly optional: boolean;
}

const TYPES: Readonly<Record<string, string | object>> = {
  string: 'string',
  int: 'int',
  long: 'long',
  double: 'double',
  boolean: 'boolean',
  date: { type: 'int', logicalType: 'date' },
  timestamp: { type: 'long', logicalType: 'timestamp-micros' },
};

/** Reads `name:type`, `name:type?` (may be null) and `name:type:what it means`. */
export function fieldsOf(options: readonly string[], keyField: string): { fields: NewField[]; faults: Faults } {
  const faults: string[] = [];
  const fields: NewField[] = [];
  for (const option of options) {
    const [name = '', written = '', ...doc] = option.split(':');
    const optional = written.endsWith('?');
    const type = TYPES[optional ? written.slice(0, -1) : written];
    faults.push(...fieldFaults(name));
    if (type === undefined) faults.push(`--field ${option}: '${written}' is no type; known are ${Object.keys(TYPES).join(', ')}, each with ? when it may be null`);
    if (name === keyField) faults.push(`--field ${option}: ${name} is the key, which is there already as a string`);
    if (fields.some((field) => field.name === name)) faults.push(`--field ${option}: ${name} is given twice`);
    fields.push({ name, type: type ?? 'string', optional, doc: doc.join(':').trim() || `${sentence(name)}.` });
  }
  return { fields, faults };
}
