import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, indexOfField, innerOf, tagsOf } from '../avro-json.js';
import { META_FIELD } from '../meta.js';

/** A tag and where it stands: `address.street`, `lines[].sku`; empty for the fact itself. */
export interface Tagged {
  readonly field: string;
  readonly tag: string;
}

/** Tagged fields of one fact, by what is selected of it. A tag covers everything inside the field or the type that carries it. */
export class TaggedFields {
  readonly #definitions: ReadonlyMap<string, AvroNode>;

  constructor(private readonly schema: AvroNode) {
    this.#definitions = definitionsIn(schema);
  }

  has(path: string): boolean {
    return this.#along(path, []) !== undefined;
  }

  /**
   * Every tag that a selected path reads: on the way to the field, on it, and on what lies below, through null unions, arrays, maps and named types. A type that
   * appears several times is looked into once, where it appears first, so that a recursive one comes to an end. @returns undefined when there is no such field.
   */
  readBy(path: string): readonly Tagged[] | undefined {
    const found: Tagged[] = [];
    const field = this.#along(path, found);
    if (!field) return undefined;
    this.#inside(field.type, field.place, new Set(), found);
    return found;
  }

  /** Every tag in the fact, each once; without those of `meta`, which every fact has. */
  all(): readonly string[] {
    const found = (this.schema.fields ?? []).flatMap(({ name }) => this.readBy(name) ?? []);
    return [...new Set(found.map(({ tag }) => tag))].toSorted();
  }

  /** The field, with the tags on the way to it and on it. */
  #along(path: string, found: Tagged[]): { type: AvroJson; place: string } | undefined {
    let type: AvroJson = this.schema;
    let place = '';
    for (const step of path.split('.')) {
      const entered = this.#recordIn(type, place, found);
      const field = entered?.record.fields![indexOfField(entered.record, step)];
      if (!entered || !field || (place === '' && step === META_FIELD)) return undefined;
      place = below(entered.place, field);
      note(field, place, found);
      type = field.type;
    }
    return { type, place };
  }

  /** The record that a path goes on in, and the tags on the way into it. */
  #recordIn(type: AvroJson, place: string, found: Tagged[]): { record: AvroNode; place: string } | undefined {
    if (Array.isArray(type)) {
      const rest = type.filter((branch) => branch !== 'null');
      return rest.length === 1 ? this.#recordIn(rest[0]!, place, found) : undefined;
    }
    const node = this.#node(type);
    if (!node) return undefined;
    note(node, place, found);
    if (node.type === 'record') return { record: node, place };
    const inner = innerOf(node);
    return inner && this.#recordIn(inner.type, place + inner.mark, found);
  }

  #inside(type: AvroJson, place: string, seen: Set<string>, found: Tagged[]): void {
    if (Array.isArray(type)) {
      for (const branch of type) this.#inside(branch, place, seen, found);
      return;
    }
    const node = this.#node(type);
    const name = node && fullNameOf(node, undefined);
    if (!node || (name !== undefined && seen.has(name))) return;
    if (name !== undefined) seen.add(name);
    note(node, place, found);
    for (const field of node.fields ?? []) {
      note(field, below(place, field), found);
      this.#inside(field.type, below(place, field), seen, found);
    }
    const inner = innerOf(node);
    if (inner) this.#inside(inner.type, place + inner.mark, seen, found);
  }

  #node(type: Exclude<AvroJson, AvroJson[]>): AvroNode | undefined {
    return typeof type === 'string' ? this.#definitions.get(type) : type;
  }
}

function note(carrier: AvroField | AvroNode, field: string, found: Tagged[]): void {
  found.push(...tagsOf(carrier).map((tag) => ({ field, tag })));
}

function below(place: string, { name }: AvroField): string {
  return place === '' ? name : `${place}.${name}`;
}
