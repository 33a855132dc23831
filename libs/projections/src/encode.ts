import { FactlineError } from 'factline/kernel';
import type { Projection } from './projection.js';

/** A value as Postgres text, before quoting. */
type ToText = (value: unknown) => string;

interface Column {
  name: string;
  nullable: boolean;
  /** The bare Postgres type. */
  type: string;
  accepts: (value: unknown) => boolean;
  toText: ToText;
  /** Whether its text needs no quotes in an array literal. */
  bare: boolean;
}

const isText = (value: unknown) => typeof value === 'string';
const isWhole = (value: unknown) => Number.isSafeInteger(value);
const isShort = (value: unknown) => typeof value === 'number' && value === (value | 0);

const TYPES: Record<string, Pick<Column, 'accepts' | 'toText'>> = {
  text: { accepts: isText, toText: String },
  integer: { accepts: isShort, toText: String },
  bigint: { accepts: isWhole, toText: String },
  'double precision': { accepts: (value) => typeof value === 'number', toText: String },
  boolean: { accepts: (value) => typeof value === 'boolean', toText: (value) => (value ? 't' : 'f') },
  date: { accepts: isText, toText: String },
  timestamptz: { accepts: isText, toText: String },
  numeric: { accepts: isText, toText: String },
  jsonb: { accepts: (value) => value !== undefined, toText: (value) => JSON.stringify(value) },
};

const BARE = new Set(['integer', 'bigint', 'double precision', 'boolean']);

/** Columns of a projection in declared order, with what their values must be. */
export function columnsOf(projection: Projection): Column[] {
  return Object.entries(projection.columns).map(([name, type]) => {
    const bare = type.replace(/ null$/, '');
    return { name, nullable: type.endsWith(' null'), type: bare, bare: BARE.has(bare), ...TYPES[bare]! };
  });
}

/** @throws FactlineError `projection.row-invalid` (integrity): the fold answered something that is no row of this model. */
export function assertRow(projection: Projection, columns: readonly Column[], key: string, row: object): void {
  for (const { name, nullable, accepts } of columns) {
    const value = (row as Record<string, unknown>)[name];
    if (value === null ? nullable : accepts(value)) continue;
    throw rowInvalid(projection, `column '${name}' is ${value === null ? 'null' : typeof value}, declared as ${projection.columns[name]}`);
  }
  if ((row as Record<string, unknown>)[projection.key] !== key) throw rowInvalid(projection, `column '${projection.key}' is not the fact's key`);
}

function rowInvalid(projection: Projection, fault: string): FactlineError {
  return new FactlineError({
    code: 'projection.row-invalid',
    kind: 'integrity',
    message: `The fold of '${projection.name}' answered a row whose ${fault}.`,
    advice: 'Correct the fold or the columns, raise the version, and run: factline replay run ' + projection.name,
  });
}

const COPY_ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One line of COPY text format (PostgreSQL manual, COPY, "Text Format"). */
export function copyLine(columns: readonly Column[]): (row: object, sequence: number) => string {
  return (row, sequence) => {
    let line = '';
    for (const { name, toText } of columns) {
      const value = (row as Record<string, unknown>)[name];
      line += `${value === null ? '\\N' : escapeCopy(toText(value))}\t`;
    }
    return `${line}${sequence}\n`;
  };
}

export function escapeCopy(text: string): string {
  return /[\\\t\n\r]/.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (character) => COPY_ESCAPES[character]!) : text;
}

/** A Postgres array literal (manual, 8.15.2): one parameter for a whole column, four times cheaper than the driver's generic conversion. */
export function arrayLiteral(values: readonly unknown[], toText: ToText, bare: boolean = false): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) literal += ',';
    const value = values[i];
    if (value === null) literal += 'NULL';
    else literal += bare ? toText(value) : quote(toText(value));
  }
  return `${literal}}`;
}

function quote(text: string): string {
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** How rows read from Postgres become what folds see: the driver answers bigint as text and dates as objects, hence the casts. */
export function selectList(columns: readonly Column[]): string {
  return columns
    .map(({ name, type }) => {
      if (type === 'bigint') return `"${name}"::double precision as "${name}"`;
      if (type === 'date' || type === 'numeric') return `"${name}"::text as "${name}"`;
      if (type === 'timestamptz') return `to_char("${name}" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "${name}"`;
      return `"${name}"`;
    })
    .join(', ');
}

export type { Column };
