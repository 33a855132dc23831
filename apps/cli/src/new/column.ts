import { snake, sqlName } from './names.js';

/** A column of a read model, made of a field that facts have. */
export interface Column {
  /** totalCents */
  readonly field: string;
  /** total_cents */
  readonly name: string;
  /** As `projection()` takes it, without ` null`. */
  readonly type: 'text' | 'integer' | 'bigint' | 'double precision' | 'boolean' | 'date' | 'timestamptz';
  readonly nullable: boolean;
}

const OF_AVRO: Readonly<Record<string, Column['type']>> = { string: 'text', int: 'integer', long: 'bigint', float: 'double precision', double: 'double precision', boolean: 'boolean', enum: 'text' };
const OF_LOGICAL: Readonly<Record<string, Column['type']>> = { date: 'date', 'timestamp-micros': 'timestamptz' };

/** The column for a field of that Avro type; undefined: what it becomes is for people to say (records, lists, bytes, decimals). */
export function columnOf(field: string, avro: unknown): Column | undefined {
  const branches = Array.isArray(avro) ? (avro as unknown[]) : [avro];
  const [only, ...others] = branches.filter((branch) => branch !== 'null');
  if (others.length > 0 || only === undefined) return undefined;
  const { type, logicalType } = typeof only === 'object' ? (only as { type: unknown; logicalType?: string }) : { type: only };
  const found = logicalType === undefined ? OF_AVRO[String(type)] : OF_LOGICAL[logicalType];
  return found && { field, name: snake(field), type: found, nullable: branches.includes('null') };
}

/** What a column holds of a fact: dates and times are numbers on the wire. @param unset what it holds when the fact says null. */
export function valueOf({ field, type, nullable }: Column, unset: string = 'null'): string {
  const value = `data.${field}`;
  if (type !== 'date' && type !== 'timestamptz') return nullable && unset !== 'null' ? `${value} ?? ${unset}` : value;
  const converted = `${type === 'date' ? 'dayOf' : 'timeOf'}(${value})`;
  return nullable ? `${value} === null ? ${unset} : ${converted}` : converted;
}

export const CONVERSIONS: Readonly<Partial<Record<Column['type'], string>>> = {
  date: 'const dayOf = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);\n',
  timestamptz: 'const timeOf = (microseconds: number) => new Date(microseconds / 1_000).toISOString();\n',
};

/** A value for a spec: as a fact states it, and as the row then has it. `round` makes them differ from fact to fact. */
export function sampleOf({ field, type }: Column, round: number): { stated: string; kept: string } {
  const same = (text: string) => ({ stated: text, kept: text });
  switch (type) {
    case 'text':
      return same(`'${field} ${round}'`);
    case 'integer':
    case 'bigint':
      return same(String(round));
    case 'double precision':
      return same(`${round}.5`);
    case 'boolean':
      return same(String(round % 2 === 1));
    case 'date':
      return { stated: `20_${String(round).padStart(3, '0')}`, kept: `'${new Date((20_000 + round) * 86_400_000).toISOString().slice(0, 10)}'` };
    case 'timestamptz':
      return { stated: `1_700_000_${String(round).padStart(3, '0')}_000_000`, kept: `'${new Date((1_700_000_000 + round) * 1_000).toISOString()}'` };
  }
}

/** What a query answers as JSON: whole numbers beyond 32 bits as numbers, days as text. */
export function selected({ name, field, type }: Column): string {
  const quoted = sqlName(name);
  const read = type === 'bigint' ? `${quoted}::float8` : type === 'date' ? `${quoted}::text` : quoted;
  return read === field ? field : `${read} as "${field}"`;
}

export function typeScriptOf({ type, nullable }: Column): string {
  const whole = { text: 'string', integer: 'number', bigint: 'number', 'double precision': 'number', boolean: 'boolean', date: 'string', timestamptz: 'Date' }[type];
  return nullable ? `${whole} | null` : whole;
}
