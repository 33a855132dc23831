import type { AvroJson } from '../../avro-json.js';
import { type Fault, isText } from './type-rules.js';
import { namesMoment, namesMoney } from './words.js';
import type { WrittenField } from './written.js';

/** What can be said of a field, by its name and by what it holds. */
export function fieldFaults(field: WrittenField): Fault[] {
  return FAULTS.flatMap((fault) => fault(field));
}

const FAULTS: readonly ((field: WrittenField) => Fault[])[] = [
  ({ node, path }) => (/^[a-z][A-Za-z0-9]*$/.test(node.name) ? [] : [{ rule: 'field-name-lower-camel', path, message: `${node.name} is not in lowerCamelCase.` }]),
  ({ node, path }) => (isText(node.doc) ? [] : [{ rule: 'doc-required', path, message: 'The field has no doc.' }]),
  nullWithoutDefault,
  ({ node, path, holds }) => {
    const type = namesMoney(node.name) ? holds.map(primitiveOf).find((each) => each === 'float' || each === 'double') : undefined;
    return type ? [{ rule: 'money-as-float', path, message: `By its name it is money, and it is a ${type}.` }] : [];
  },
  ({ node, path, holds }) =>
    // text with a logical type has a form that somebody chose
    namesMoment(node.name) && holds.some((each) => primitiveOf(each) === 'string' && logicalTypeOf(each) === undefined)
      ? [{ rule: 'time-as-string', path, message: 'By its name it is a time or a date, and it is a string.' }]
      : [],
  ({ path, holds }) => {
    const nanos = holds.map(logicalTypeOf).find((each) => each?.endsWith('timestamp-nanos'));
    return nanos ? [{ rule: 'long-needs-bigint', path, message: `It is a ${nanos}: more than 2^53 since April 1970.` }] : [];
  },
];

/** A null that is not first and has null as its default is no valid Avro: it was refused when it was read. */
function nullWithoutDefault({ node, path }: WrittenField): Fault[] {
  if (!Array.isArray(node.type) || !node.type.some((branch) => primitiveOf(branch) === 'null') || node.default !== undefined) return [];
  const order = primitiveOf(node.type[0]!) === 'null' ? '' : ', and null is not its first type';
  return [{ rule: 'null-first-with-null-default', path, message: `It may be null and has no default${order}.` }];
}

function primitiveOf(schema: AvroJson): AvroJson | undefined {
  return typeof schema === 'object' && !Array.isArray(schema) ? schema.type : schema;
}

function logicalTypeOf(schema: AvroJson): string | undefined {
  return typeof schema === 'object' && !Array.isArray(schema) && typeof schema.logicalType === 'string' ? schema.logicalType : undefined;
}
