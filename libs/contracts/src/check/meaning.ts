import { type AvroField, type AvroJson, type AvroNode, aliasesOf, definitionsIn, innerOf, isPrimitive, tagsOf } from '../avro-json.js';
import { canonicalJson } from '../canonical.js';
import type { RuleId } from './rules.js';

/** A change of what a value means that resolution does not see. */
export interface MeaningChange {
  readonly rule: RuleId;
  /** `address.zip`; elements of arrays `lines[].sku`, of maps `labels{}.text`. Empty for the fact itself. */
  readonly path: string;
  readonly message: string;
}

/**
 * Compares what two versions of a schema say beyond their bytes: logical types, decimals, units, defaults, aliases, tags. Fields are matched by name; what was
 * added, removed or given another type is not looked at, since resolution judges that. Linear: each pair of named types is compared once, at its first place.
 */
export function changesOfMeaning(before: AvroNode, after: AvroNode): MeaningChange[] {
  return new Comparison(definitionsIn(before), definitionsIn(after)).run(before, after);
}

class Comparison {
  readonly #changes: MeaningChange[] = [];
  readonly #compared = new Set<string>();

  constructor(
    private readonly before: ReadonlyMap<string, AvroNode>,
    private readonly after: ReadonlyMap<string, AvroNode>,
  ) {}

  run(before: AvroNode, after: AvroNode): MeaningChange[] {
    this.#types(before, after, '');
    return this.#changes;
  }

  #types(before: AvroJson, after: AvroJson, path: string): void {
    const [was, is] = [resolved(before, this.before), resolved(after, this.after)];
    if (Array.isArray(was) || Array.isArray(is)) return this.#branches(was, is, path);
    if (typeof was === 'string' || typeof is === 'string') return this.#logical(nodeOf(was), nodeOf(is), path);
    if (typeof was.name === 'string') {
      const pair = `${was.namespace}.${was.name} ${is.namespace}.${String(is.name)}`;
      if (this.#compared.has(pair)) return;
      this.#compared.add(pair);
      this.#aliases(was, is, path, 'type');
    }
    const [inside, now] = [innerOf(was), innerOf(is)];
    if (was.fields && is.fields) this.#fields(was.fields, is.fields, path);
    else if (inside && now && inside.key === now.key) this.#types(inside.type, now.type, path + inside.mark);
    else if (was.type === 'enum' && is.type === 'enum') this.#enumDefault(was.default, is.default, path);
    else this.#logical(was, is, path);
  }

  /** What a symbol that the reader does not know is read as. */
  #enumDefault(was: unknown, is: unknown, path: string): void {
    if (was === undefined || was === is) return;
    if (is === undefined) this.#add('enum-default-removed', path, `the enum had the default ${JSON.stringify(was)} and has none now`);
    else this.#add('default-changed', path, `the default of the enum was ${JSON.stringify(was)} and is ${JSON.stringify(is)} now`);
  }

  /** Branches are matched by kind and name; a nullable type and the type itself are compared too. */
  #branches(before: AvroJson, after: AvroJson, path: string): void {
    const [was, is] = [before, after].map((schema) => (Array.isArray(schema) ? schema : [schema]).filter((branch) => branch !== 'null'));
    if (was!.length === 1 && is!.length === 1) return this.#types(was![0]!, is![0]!, path);
    for (const branch of was!) {
      const counterpart = is!.find((other) => branchName(other) === branchName(branch));
      if (counterpart !== undefined) this.#types(branch, counterpart, path);
    }
  }

  #fields(before: readonly AvroField[], after: readonly AvroField[], path: string): void {
    const byName = new Map(after.map((field) => [field.name, field]));
    for (const was of before) {
      const is = byName.get(was.name);
      if (!is) continue;
      const place = path === '' ? was.name : `${path}.${was.name}`;
      if ('default' in was && 'default' in is && canonicalJson(was.default) !== canonicalJson(is.default)) {
        this.#add('default-changed', place, `the default was ${JSON.stringify(was.default)} and is ${JSON.stringify(is.default)} now`);
      }
      if (was.unit !== undefined && canonicalJson(was.unit) !== canonicalJson(is.unit ?? null)) {
        this.#add('unit-changed', place, `the unit was ${JSON.stringify(was.unit)} and is ${is.unit === undefined ? 'not said any more' : JSON.stringify(is.unit)}`);
      }
      const lost = tagsOf(was).filter((tag) => !tagsOf(is).includes(tag));
      if (lost.length > 0) this.#add('tag-removed', place, `it is not tagged ${lost.join(', ')} any more`);
      this.#aliases(was, is, place, 'field');
      this.#types(was.type, is.type, place);
    }
  }

  #aliases(was: AvroField | AvroNode, is: AvroField | AvroNode, path: string, what: string): void {
    const lost = aliasesOf(was).filter((alias) => !aliasesOf(is).includes(alias) && alias !== is.name);
    if (lost.length > 0) this.#add('alias-removed', path, `the ${what} is not found as ${lost.join(', ')} any more`);
  }

  #logical(was: AvroNode, is: AvroNode, path: string): void {
    if (was.logicalType !== is.logicalType) {
      this.#add('logical-type-changed', path, `it was ${was.logicalType ?? 'no logical type'} and is ${is.logicalType ?? 'no logical type'} now`);
    } else if (was.logicalType === 'decimal' && (was['precision'] !== is['precision'] || (was['scale'] ?? 0) !== (is['scale'] ?? 0))) {
      this.#add('decimal-changed', path, `it was decimal(${decimal(was)}) and is decimal(${decimal(is)}) now`);
    }
  }

  #add(rule: RuleId, path: string, message: string): void {
    this.#changes.push({ rule, path, message });
  }
}

/** A name becomes its definition; `{"type": "string"}` without anything else stays what it is, for its logical type is looked at. */
function resolved(schema: AvroJson, definitions: ReadonlyMap<string, AvroNode>): AvroJson {
  if (typeof schema === 'string') return isPrimitive(schema) ? schema : (definitions.get(schema) ?? schema);
  if (!Array.isArray(schema) && (typeof schema.type === 'object' || (typeof schema.type === 'string' && definitions.has(schema.type)))) return resolved(schema.type, definitions);
  return schema;
}

function nodeOf(schema: Exclude<AvroJson, AvroJson[]>): AvroNode {
  return typeof schema === 'string' ? { type: schema } : schema;
}

function branchName(branch: AvroJson): string {
  if (typeof branch === 'string') return branch;
  if (Array.isArray(branch)) return 'union';
  if (typeof branch.name === 'string') return `${branch.namespace ?? ''}.${branch.name}`;
  return typeof branch.type === 'string' ? branch.type : branchName(branch.type);
}

function decimal(node: AvroNode): string {
  return JSON.stringify([node['precision'], node['scale'] ?? 0]).slice(1, -1);
}
