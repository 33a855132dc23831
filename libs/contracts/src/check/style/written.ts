import { type AvroField, type AvroJson, type AvroNode, fullNameOf, innerOf, isNamed, namespaceOf } from '../../avro-json.js';
import type { Definition } from '../../bundle.js';

/** A named type where it is written. */
export interface WrittenType {
  readonly node: AvroNode;
  readonly fullName: string;
  /** Namespace of the type around it; undefined: it is the one of the file. */
  readonly around: string | undefined;
  /** Way to it from the type of the file: `lines[]`; '' for that type itself. */
  readonly field: string;
  /** JSON path in the file. */
  readonly path: string;
}

/** A field of a record where it is written. */
export interface WrittenField {
  readonly node: AvroField;
  readonly field: string;
  readonly path: string;
  /** What it holds, through unions, arrays and maps; named types that are written here are sites of their own. */
  readonly holds: readonly AvroJson[];
}

interface Site {
  readonly field: string;
  readonly path: string;
}

/**
 * Every named type and field written in a file, each once and from the outside in: types that the file only names are written elsewhere. So what all files say
 * together takes time in their size, however often types are shared, and a type that contains itself ends where it is named.
 */
export function writtenIn(file: Definition): { types: readonly WrittenType[]; fields: readonly WrittenField[] } {
  const types: WrittenType[] = [];
  const fields: WrittenField[] = [];
  const look = (schema: AvroJson, at: Site, around: string | undefined, holds: AvroJson[]): void => {
    if (typeof schema === 'string') holds.push(schema);
    else if (Array.isArray(schema)) schema.forEach((branch, index) => look(branch, { ...at, path: `${at.path}[${index}]` }, around, holds));
    else if (isNamed(schema)) named(schema, at, around);
    else {
      const inner = innerOf(schema);
      if (inner) look(inner.type, { field: at.field + inner.mark, path: `${at.path}.${inner.key}` }, around, holds);
      else holds.push(schema);
    }
  };
  const named = (node: AvroNode, at: Site, around: string | undefined): void => {
    const fullName = fullNameOf(node, around)!;
    types.push({ node, fullName, around, ...at });
    if (node.type !== 'record') return;
    for (const [index, field] of node.fields!.entries()) {
      const site = { field: at.field === '' ? field.name : `${at.field}.${field.name}`, path: `${at.path}.fields[${index}]` };
      const holds: AvroJson[] = [];
      fields.push({ node: field, ...site, holds });
      look(field.type, { field: site.field, path: `${site.path}.type` }, namespaceOf(fullName), holds);
    }
  };
  named(file.node, { field: '', path: file.path }, undefined);
  return { types, fields };
}
