import type { AvroNode } from '../avro-json.js';

/**
 * How a value is filled. `usual`: as an example, everything that may be null or empty filled in. `least`: null, empty, zero. `most`: long texts, several elements,
 * the highest numbers. `lowest`: filled in, with the lowest numbers and empty texts.
 */
export type Filling = 'usual' | 'least' | 'most' | 'lowest';

type Numbers = Readonly<Record<Filling, number>>;

const around = (usual: number, most: number, lowest = -most): Numbers => ({ usual, least: 0, most, lowest });

const NUMBERS: ReadonlyMap<string, Numbers> = new Map([
  ['int', around(1, 2 ** 31 - 1, -(2 ** 31))],
  ['long', around(1, Number.MAX_SAFE_INTEGER)],
  ['float', around(1.5, (2 - 2 ** -23) * 2 ** 127)],
  ['double', around(1.5, Number.MAX_VALUE)],
]);

const DAY = 20_000; // 4 October 2024
const NOON = 43_200;
const INSTANT = DAY * 86_400 + NOON;
/** Years that ISO 8601 writes with four digits: JavaScript and Postgres have others, and write them in ways of their own. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896];

const dates = around(DAY, LAST_DAY, FIRST_DAY);
const instants = (perSecond: number) => around(INSTANT * perSecond, Math.min((LAST_DAY + 1) * 86_400 * perSecond - 1, Number.MAX_SAFE_INTEGER), Math.max(FIRST_DAY * 86_400 * perSecond, -Number.MAX_SAFE_INTEGER));
const times = (perSecond: number) => around(NOON * perSecond, 86_400 * perSecond - 1, 0);

/** By type and logical type, which schemas may call anything, `constructor` as well. */
const MOMENTS: ReadonlyMap<string, Numbers> = new Map([
  ['int date', dates],
  ['int time-millis', times(1e3)],
  ['long time-micros', times(1e6)],
  ['long timestamp-millis', instants(1e3)],
  ['long timestamp-micros', instants(1e6)],
  ['long local-timestamp-millis', instants(1e3)],
  ['long local-timestamp-micros', instants(1e6)],
]);

/** 300 UTF-16 units, more than the 255 that many columns have, of what is escaped, has two units, or is written from right to left. */
const LONG_TEXT = `Zoë 😀 'a' "b" \\ <c> & %d\t;\r\n مرحبا`.padEnd(50, '.').repeat(6);

/** Of a primitive type. @param name of the field, which a text repeats in words, so that nobody takes it for a real one. */
export function plainValue(type: string, name: string, filling: Filling): unknown {
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return filling === 'usual' || filling === 'most';
    case 'bytes':
      return { usual: () => Buffer.from('0123'), least: () => Buffer.alloc(0), most: () => Buffer.from(Array.from({ length: 256 }, (_each, at) => at)), lowest: () => Buffer.alloc(1) }[filling]();
    case 'string':
      return { usual: inWords(name), least: '', most: LONG_TEXT, lowest: '' }[filling];
    default:
      return NUMBERS.get(type)![filling];
  }
}

/** Of a fixed without a logical type. */
export function fixedValue(size: number, filling: Filling): Buffer {
  return filling === 'usual' ? Buffer.alloc(size, '0123456789abcdef') : Buffer.alloc(size, filling === 'most' ? 0xff : 0);
}

const UUIDS: Readonly<Record<Filling, string>> = {
  usual: '01926c5e-7a00-7000-8000-000000000001',
  least: '00000000-0000-0000-0000-000000000000',
  most: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  lowest: '00000000-0000-0000-0000-000000000000',
};

/** Undefined for logical types that say nothing more, and for those on a type that they do not fit, which Avro ignores. */
export function logicalValue({ type, logicalType, size, precision }: AvroNode, filling: Filling): unknown {
  if (type === 'string' && logicalType === 'uuid') return UUIDS[filling];
  if (logicalType === 'decimal' && type === 'bytes') return decimal(precision, undefined, filling);
  if (logicalType === 'decimal' && type === 'fixed' && size! > 0) return decimal(precision, size, filling);
  return typeof type === 'string' ? MOMENTS.get(`${type} ${logicalType}`)?.[filling] : undefined;
}

/** Digits of a decimal that are filled: no database column that people use has more (Postgres' numeric, the longest, is declared with 1,000). */
const DIGITS = 1_000;

/** The unscaled value as a big-endian two's complement number (Avro 1.12, "Decimal"): as many nines as it has digits. */
function decimal(precision: unknown, size: number | undefined, filling: Filling): Buffer {
  const digits = Number.isInteger(precision) && (precision as number) > 0 ? Math.min(precision as number, DIGITS) : 1;
  const nines = 10n ** BigInt(digits) - 1n;
  const highest = size === undefined ? nines : least(nines, (1n << BigInt(8 * size - 1)) - 1n);
  const unscaled = { usual: 1n, least: 0n, most: highest, lowest: -highest }[filling];
  let length = size ?? 1;
  while (size === undefined && BigInt.asIntN(8 * length, unscaled) !== unscaled) length++;
  return Buffer.from(BigInt.asUintN(8 * length, unscaled).toString(16).padStart(2 * length, '0'), 'hex');
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** `jobTitle` is `job title`: nobody takes it for a real one. */
function inWords(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ').toLowerCase();
}
