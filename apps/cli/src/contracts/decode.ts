import type { Command } from 'commander';
import { type AvroJson, decodeValue } from 'factline/contracts/check';
import { FactlineError } from 'factline/kernel';
import { exitWith } from '../command.js';
import { type Request, answerLines } from './json-lines.js';
import { EXIT_CODES } from '../output.js';

/** Two digits a byte; longer texts are refused before anything is made of them. */
const HEX_MAX_DIGITS = 2 * 1024 * 1024;
const HEX = /^(?:[\da-f]{2})*$/i;
/** A type's name, which is a schema by itself; any other text is JSON. */
const NAME = /^[\w.]+$/;

const HELP = `
Each line {"id", "schema", "hex"} is answered in order with {"id", "ok": true, "value"} or {"id", "ok": false, "code", "message"}.
The bytes are bare Avro binary of the whole value: no prefix, no schema id. The schema is JSON, or a text that holds it.

The value is in Avro's JSON encoding: bytes and fixed as texts of the code points 0 to 255, a union's value as {"branch": value}
(full names) or null. NaN and the infinities are texts; logical types are shown as what they are stored as.

Codes of bytes that are refused:
  truncated         they end inside the value
  trailing          bytes follow the value
  too-large         more than 1 MiB of bytes, or 16 Mi characters of repeated names
  too-many-items    more than 100,000 array and map elements, nulls and inner records, announced or there
  too-deep          nested more than 64 deep
  negative-length   a text, bytes or a block of less than nothing
  long-range        a long beyond 2^53 - 1
  int-range         an int beyond 32 bits
  boolean           neither 0 nor 1
  union-branch      no such branch
  enum-symbol       no such symbol
  invalid-utf8      a text or a map key that is not UTF-8
  map-key           the key __proto__
  malformed         a number of too many bytes, a block that is not as long as it says
Codes of requests:
  input.id          neither a text, a number, a boolean nor null
  input.hex         missing, or no hexadecimal bytes
  input.schema      missing
  input.malformed   the line is no JSON object; it is answered with its number
  schema.invalid, schema.unknown-type, schema.duplicate-type, schema.cycle, schema.too-deep, schema.too-large

Exit code 0 when every line was a JSON object, refused or not; 2 when one was none.`;

/** `factline contracts decode`: what bytes say, for bytes and schemas that nobody vouches for. */
export function decodeCommand(contracts: Command): void {
  contracts
    .command('decode')
    .description('decode Avro values: JSON lines {id, schema, hex} in, {id, ok, value} or {id, ok, code, message} out')
    .addHelpText('after', HELP)
    .action(() => exitWith({ json: true }, async () => ((await answerLines(process.stdin, process.stdout, answer)) ? 0 : EXIT_CODES.invalid)));
}

function answer(request: Request): object {
  const { id = null } = request;
  if (typeof id === 'object' && id !== null) return { id: null, ...refusal(wrong('input.id', 'The id is neither a text, a number, a boolean nor null.', 'Number the lines.')) };
  try {
    return { id, ok: true, value: decodeValue(schemaOf(request['schema']), bytesOf(request['hex'])) };
  } catch (error) {
    if (error instanceof FactlineError) return { id, ...refusal(error) };
    throw error;
  }
}

function refusal({ code, message, details }: FactlineError): object {
  return { ok: false, code: details['reason'] ?? code, message };
}

function schemaOf(schema: unknown): AvroJson {
  if (schema === undefined) throw wrong('input.schema', 'The line has no schema.', 'Give it as JSON, or as a text that holds it.');
  if (typeof schema !== 'string' || NAME.test(schema)) return schema as AvroJson;
  try {
    return JSON.parse(schema) as AvroJson;
  } catch (error) {
    throw wrong('schema.invalid', 'The schema is a text that is neither JSON nor the name of a type.', 'Give it as JSON, or as a text that holds it.', {}, error);
  }
}

function bytesOf(hex: unknown): Buffer {
  if (typeof hex === 'string' && hex.length > HEX_MAX_DIGITS) {
    throw wrong('value.undecodable', `The value cannot be decoded: ${hex.length} digits are more than ${HEX_MAX_DIGITS}.`, 'Decode a part of it.', { reason: 'too-large' });
  }
  if (typeof hex !== 'string' || !HEX.test(hex)) throw wrong('input.hex', 'The line has no hex, or it is not made of pairs of the digits 0 to 9 and a to f.', 'Give two digits a byte and nothing between.');
  return Buffer.from(hex, 'hex');
}

function wrong(code: string, message: string, advice: string, details = {}, cause?: unknown): FactlineError {
  return new FactlineError({ code, kind: 'invalid', message, advice, details, cause });
}
