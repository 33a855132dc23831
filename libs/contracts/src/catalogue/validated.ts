import { FactlineError } from 'factline/kernel';
import type { AvroNode } from '../avro-json.js';
import { parseSchema } from '../compatibility/parse.js';
import { declarationError } from '../declaration-error.js';

/**
 * Refuses a schema that Avro for Java 1.12 would refuse. Tools for AsyncAPI take any JSON for Avro (asyncapi/parser-js with its Avro parser says nothing of a type that
 * does not exist), and avsc is more lenient than registries are. @throws FactlineError (configuration) as the compatibility check does, with the file.
 */
export function refuseInvalid(schema: AvroNode, file: string): void {
  try {
    parseSchema(schema, 'writer');
  } catch (error) {
    if (!(error instanceof FactlineError)) throw error;
    throw declarationError(error.code, { file }, error.message, error.advice ?? 'See the Avro specification.', { schema: error.details }, error);
  }
}
