import { FactlineError } from 'factline/kernel';
import { type AvroNode, definitionsIn } from '../avro-json.js';
import { checkedType } from '../checked-types.js';
import { decodeValue } from '../decode-value.js';
import { madeValue } from '../values/made-value.js';

/**
 * A value of a bundled schema in Avro's JSON encoding, always the same one: it was written and read back, so it is what the schema really holds. Fields that may be
 * null are filled in, arrays and maps have one element, a record that contains itself ends at the second time.
 * @returns undefined where no small value exists: a record that holds itself without end, more than 1,000 values, a fixed of more than 1,000 bytes, 64 levels.
 * @throws FactlineError (configuration) `schema.invalid` and others of `decodeValue`: a schema that avsc takes and Avro for Java refuses.
 */
export function exampleOf(schema: AvroNode): unknown {
  const value = exampleValue(schema);
  if (value === undefined) return undefined;
  try {
    return decodeValue(schema, checkedType(schema).toBuffer(value));
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'value.undecodable') return undefined; // nested deeper than anything that is read here
    throw error;
  }
}

/** The same as the encoder takes it. */
export function exampleValue(schema: AvroNode): unknown {
  return madeValue(schema, definitionsIn(schema), { filling: 'usual' });
}
