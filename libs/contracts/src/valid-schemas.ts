import avro from 'avsc';
import { LRUCache } from 'lru-cache';
import type { AvroNode } from './avro-json.js';
import { VALID_SCHEMAS_REMEMBERED } from './limits.js';

const remembered = new LRUCache<string, AvroNode>({ max: VALID_SCHEMAS_REMEMBERED });

/**
 * The schema, if avsc takes it. Asked once for the same text, which takes 0.5 ms; then the same object is answered, so that commits of one repository share most of their
 * schemas. It must not be changed. @throws Error of avsc.
 */
export function validSchema(schema: AvroNode): AvroNode {
  const text = JSON.stringify(schema);
  const known = remembered.get(text);
  if (known) return known;
  avro.Type.forSchema(schema as never, { wrapUnions: 'never' });
  remembered.set(text, schema);
  return schema;
}
