import type { AvroJson } from '../avro-json.js';
import { Checker } from './checker.js';
import type { Incompatibility } from './incompatibility.js';
import type { JsFault } from './js-fault.js';
import { jsFaults } from './js-readability.js';
import { Prepared } from './prepared.js';

/** Two verdicts on one pair of schemas. */
export interface Compatibility {
  /** As Avro for Java and the registries that use it decide. */
  readonly compatible: boolean;
  /** All of them, each once. */
  readonly incompatibilities: readonly Incompatibility[];
  /** Whether this library will read it: stricter in names, unions and defaults. Has no part in `compatible`. Found out when asked for, which takes ten times as long. */
  readonly js: { readonly readable: boolean; readonly faults: readonly JsFault[] };
}

/**
 * Whether a reader's schema can read everything that was written with a writer's. Offline, in time linear in the pairs of types that meet: a type that is shared or
 * contains itself is compared once.
 *
 * The rules are those of the Avro specification 1.12, "Schema Resolution", as SchemaCompatibility.java and Schema.Parser of Avro for Java 1.12.1 keep them; where
 * they differ, the verdict is Java's, because registries ask Java:
 * - **Names.** Two records, enums or fixeds have the same name when their names without namespace are equal, or when the reader's aliases, qualified by the reader's
 *   namespace, contain the writer's full name. The writer's aliases count for nothing. A field is found by its name or by one of the reader field's aliases;
 *   more than one match is an error, not a choice.
 * - **Enums.** A symbol that the reader does not know is fine when the reader's enum has its own default. The default of a field does not count for symbols, nor the
 *   default of the enum for a missing field.
 * - **Unions.** What may be written must be readable by any branch of the reader, the first that can, promotions and records of other structure included; position
 *   does not count. What a branch lacks is told in the message of the union's fault.
 * - **Recursion.** A pair inside itself is taken for compatible.
 *
 * Outside the verdict, and therefore compatible: logical types (Java does not compare the scale of decimals, though the specification says so), the writer's
 * defaults, whether a default makes sense, docs, order, other attributes. Numbers are JavaScript numbers: a default 1.0 of an int is 1 here and refused by Java, and
 * a default of a long is refused from 2^63 as JavaScript prints it. JSON with comments, which Java takes, is no JSON here.
 * @throws FactlineError (configuration) with `details.schema` (reader or writer) and `details.path` (JSON pointer): `schema.invalid`, `schema.unknown-type`,
 * `schema.duplicate-type`, `schema.cycle` (an object that contains itself), `schema.too-deep`, `schema.too-large`, `schema.ambiguous-alias`.
 */
export function checkCompatibility(reader: AvroJson, writer: AvroJson): Compatibility {
  return comparePrepared(new Prepared(reader), new Prepared(writer));
}

/** The same for schemas that are compared with many: avsc's types take ten times as long to build as a pair to compare. */
export function comparePrepared(reader: Prepared, writer: Prepared): Compatibility {
  const parsed = { reader: reader.parsed('reader'), writer: writer.parsed('writer') };
  const checker = new Checker();
  const incompatibilities = checker.check(parsed.reader.root, parsed.writer.root);
  let js: Compatibility['js'] | undefined;
  return {
    compatible: incompatibilities.length === 0,
    incompatibilities,
    get js() {
      if (js) return js;
      const faults = jsFaults(reader, writer, { ...parsed, incompatibilities, doubts: checker.doubts });
      return (js = { readable: faults.length === 0, faults });
    },
  };
}
