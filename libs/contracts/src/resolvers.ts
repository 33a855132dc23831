import type { Type, types } from 'avsc';
import { LRUCache } from 'lru-cache';
import { type AvroNode, fullNameOf } from './avro-json.js';
import { fingerprintOf } from './canonical.js';
import { checkedType, writtenType } from './checked-types.js';
import { type Guard, compileGuard } from './guard.js';
import { READINGS_REMEMBERED } from './limits.js';
import { META_FIELD, META_SCHEMA } from './meta.js';
import { undecodable } from './wire.js';

type Resolver = ReturnType<Type['createResolver']>;

export const metaType = checkedType(META_SCHEMA);

/** How facts of one writer schema are read through one selection: what is not selected is skipped, and no value is made of it. */
export interface Reading {
  readonly factName: string;
  readonly type: Type;
  readonly resolver: Resolver;
  readonly metaResolver: Resolver;
  readonly guard: Guard;
}

/** The reader schema of a selection, its fingerprint taken from it and not from what is said of it. */
export interface Reader {
  readonly schema: object;
  readonly fingerprint: string;
}

/** By both fingerprints, for all decoders of the thread: read models of one app share facts, topics share schemas, and a registry may give one schema several ids. */
const known = new LRUCache<string, Reading | { readonly failed: unknown }>({ max: READINGS_REMEMBERED });

/** Compiles a pair once, about 1 ms for 60 fields; what cannot be read is remembered as well. @throws Error of avsc when the writer does not fit. */
export function readingOf(reader: Reader, writer: object): Reading {
  const pair = `${reader.fingerprint} ${fingerprintOf(writer)}`;
  let found = known.get(pair);
  if (!found) known.set(pair, (found = tried(reader.schema, writer)));
  if ('failed' in found) throw found.failed;
  return found;
}

function tried(reader: object, writer: object): Reading | { failed: unknown } {
  try {
    return compiled(reader, writer);
  } catch (error) {
    return { failed: error };
  }
}

function compiled(reader: object, schema: object): Reading {
  const writer = writtenType(schema) as types.RecordType;
  const meta = writer.fields[0];
  if (meta?.name !== META_FIELD) throw new Error(`its first field is not '${META_FIELD}'`);
  const factName = fullNameOf(schema as AvroNode, undefined)!;
  const type = checkedType(reader);
  const guard = compileGuard(writer, (reason, what) => undecodable(reason, what, { factName }));
  return { factName, type, resolver: type.createResolver(writer), metaResolver: metaType.createResolver(meta.type), guard };
}
