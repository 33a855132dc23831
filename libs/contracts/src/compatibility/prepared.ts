import type { Type } from 'avsc';
import type { AvroJson } from '../avro-json.js';
import { checkedType, writtenType } from '../checked-types.js';
import { type ParsedSchema, parseSchema } from './parse.js';
import type { Side } from './schema-error.js';

/** A schema that is compared with many others: what comparing asks of it is made once. The JSON must not change meanwhile. */
export class Prepared {
  readonly #parsed = new Map<Side, ParsedSchema>();
  #reading: Type | undefined;
  #written: Type | undefined;

  constructor(readonly schema: AvroJson) {}

  /** @throws FactlineError as `parseSchema` does; it names the side. */
  parsed(side: Side): ParsedSchema {
    let parsed = this.#parsed.get(side);
    if (!parsed) this.#parsed.set(side, (parsed = parseSchema(this.schema, side)));
    return parsed;
  }

  /** As avsc reads with it. @throws Error of avsc when it refuses the schema. */
  get readingType(): Type {
    return (this.#reading ??= checkedType(this.schema as object));
  }

  /** As avsc reads what was written with it. @throws Error of avsc when it refuses the schema. */
  get writtenType(): Type {
    return (this.#written ??= writtenType(this.schema as object));
  }
}
