import type { AvroJson } from './avro-json.js';
import { canonicalJson } from './canonical.js';
import { checkCompatibility } from './compatibility/compatibility.js';
import { parseSchema } from './compatibility/parse.js';
import type { CompatibilityLevel } from './facts.js';

/** Lines of Apicurio Registry whose Confluent API answers differ: 3.0 runs on Java 17, 3.3 on 21 and in containers. */
export type Line = '3.0' | '3.3';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A "no" of the registry. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }

  get answer(): Answer {
    return { status: this.status, body: this.message === '' ? '' : { message: this.message, error_code: this.code } };
  }
}

/** 3.0 compares texts, 3.3 what they mean without documentation and aliases. */
export function isSame(line: Line, one: string, other: string): boolean {
  return one === other || (line === '3.3' && canonicalJson(meaning(JSON.parse(one))) === canonicalJson(meaning(JSON.parse(other))));
}

function meaning(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(meaning);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { doc: _doc, aliases: _aliases, ...rest } = schema as Record<string, unknown>;
  const keys = Object.keys(rest);
  if (keys.length === 1 && typeof rest['type'] === 'string') return rest['type'];
  return Object.fromEntries(keys.map((key) => [key, key === 'default' ? rest[key] : meaning(rest[key])]));
}

/** @throws Refusal as for any text that is no schema. */
export function parsed(text: string): void {
  try {
    parseSchema(JSON.parse(text) as AvroJson, 'reader');
  } catch (error) {
    throw new Refusal(422, 42201, `Invalid schema: ${String(error)}`);
  }
}

/** What our engine finds, in the form of Apicurio's words: `why at /pointer`. */
export function faultsOf(level: CompatibilityLevel | undefined, next: string, before: string): string[] {
  const [candidate, registered] = [JSON.parse(next), JSON.parse(before)] as [AvroJson, AvroJson];
  const told = (reader: AvroJson, writer: AvroJson) => checkCompatibility(reader, writer).incompatibilities.map(({ message, readerPointer }) => `${message} at ${readerPointer}`);
  const backward = /^(BACKWARD|FULL)/.test(level ?? '') ? told(candidate, registered) : [];
  const forward = /^(FORWARD|FULL)/.test(level ?? '') ? told(registered, candidate) : [];
  return [...backward, ...forward];
}
