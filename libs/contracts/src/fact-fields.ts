import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, indexOfField, innerOf } from './avro-json.js';
import type { Definition } from './bundle.js';
import type { DeclaredFact, DeclaredSchemas } from './schemas.js';

/** A field of a fact, and where it is written: the record that holds it may be shared with other facts. */
export interface FactField {
  /** From the fact: `address.zip`, `lines[].sku` (array), `labels{}.text` (map). */
  readonly path: string;
  readonly field: AvroField;
  readonly record: Definition;
  /** JSON path in the file of the record: `$.fields[3]`. */
  readonly jsonPath: string;
}

/** A record below a fact, and where. */
export interface FactRecord {
  readonly path: string;
  readonly node: AvroNode;
}

/** The fields of a fact, at any depth, with the places where they are written. */
export class FactFields {
  readonly #bundled: ReadonlyMap<string, AvroNode>;
  readonly root: FactRecord;

  constructor(
    private readonly schemas: DeclaredSchemas,
    readonly fact: DeclaredFact,
  ) {
    this.#bundled = definitionsIn(fact.schema);
    this.root = { path: '', node: fact.schema };
  }

  /** The fields on a path without marks, from the outermost on; fewer than the path has steps when one is not there. */
  along(path: string): readonly FactField[] {
    const found: FactField[] = [];
    let records: readonly FactRecord[] = [this.root];
    for (const step of path.split('.')) {
      const next = this.#named(records, step);
      if (!next) break;
      found.push(next);
      records = this.recordsIn(next);
    }
    return found;
  }

  /** Where a field on a path without marks is written; of one that is not there, what it would be in. The fact itself is the empty path. */
  writtenAt(path: string): { readonly file: string; readonly jsonPath: string } {
    if (path === '') return { file: this.fact.file, jsonPath: this.#definitionOf(this.root).path };
    const along = this.along(path);
    const last = along.at(-1);
    const [around] = last ? this.recordsIn(last) : [this.root];
    if (last && (!around || along.length === path.split('.').length)) return { file: last.record.file, jsonPath: last.jsonPath };
    const { file, path: jsonPath } = this.#definitionOf(around!);
    return { file, jsonPath: `${jsonPath}.fields` };
  }

  /** Every field below the fact, or below one field of it. Each record is gone into once, at its first path, so that the walk is linear in the schema. */
  *below(start?: FactField): Generator<FactField, void, undefined> {
    const met = new Set<AvroNode>();
    const open: FactRecord[] = start ? this.recordsIn(start).toReversed() : [this.root];
    for (let next = open.pop(); next; next = open.pop()) {
      if (met.has(next.node)) continue;
      met.add(next.node);
      const fields = this.fieldsOf(next);
      yield* fields;
      open.push(...fields.flatMap((field) => this.recordsIn(field)).toReversed());
    }
  }

  /** The records that a field holds, through unions, arrays and maps. */
  recordsIn({ field, path }: FactField): FactRecord[] {
    const found: FactRecord[] = [];
    const visit = (type: AvroJson, at: string): void => {
      const node = typeof type === 'string' ? this.#bundled.get(type) : type;
      if (node === undefined) return;
      if (Array.isArray(node)) for (const branch of node) visit(branch, at);
      else if (node.type === 'record') found.push({ path: at, node });
      else {
        const inner = innerOf(node);
        if (inner) visit(inner.type, at + inner.mark);
      }
    };
    visit(field.type, path);
    return found;
  }

  /** The fields of a record, where that record is. */
  fieldsOf(record: FactRecord): FactField[] {
    return record.node.fields!.map((_field, at) => this.fieldAt(record, at));
  }

  /** One of them. */
  fieldAt(around: FactRecord, at: number): FactField {
    const { path, node } = around;
    const record = this.#definitionOf(around);
    const field = node.fields![at]!;
    return { path: path === '' ? field.name : `${path}.${field.name}`, field, record, jsonPath: `${record.path}.fields[${at}]` };
  }

  #definitionOf({ node }: FactRecord): Definition {
    return this.schemas.definitions.get(fullNameOf(node, undefined)!)!;
  }

  #named(records: readonly FactRecord[], name: string): FactField | undefined {
    for (const record of records) {
      const at = indexOfField(record.node, name);
      if (at >= 0) return this.fieldAt(record, at);
    }
    return undefined;
  }
}
