import type { AvroNode } from '../avro-json.js';

/** Where a type stands in its schema (JSON pointer), and the JSON it was read from. Two nodes are the same type only when they are the same object. */
interface Place {
  readonly pointer: string;
  readonly json?: AvroNode;
}

export interface PrimitiveNode extends Place {
  readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
}

export interface CollectionNode extends Place {
  readonly kind: 'array' | 'map';
  readonly items: SchemaNode;
}

export interface UnionNode extends Place {
  readonly kind: 'union';
  readonly branches: readonly SchemaNode[];
}

interface Named extends Place {
  readonly json: AvroNode;
  readonly fullName: string;
  /** Full names; of a type with a namespace, an alias without one keeps a dot before it, as in Java, and matches nothing. */
  readonly aliases: ReadonlySet<string>;
}

export interface RecordNode extends Named {
  readonly kind: 'record';
  readonly fields: readonly FieldNode[];
  readonly fieldByName: ReadonlyMap<string, FieldNode>;
}

export interface EnumNode extends Named {
  readonly kind: 'enum';
  readonly symbols: ReadonlySet<string>;
  readonly default: string | undefined;
}

export interface FixedNode extends Named {
  readonly kind: 'fixed';
  readonly size: number;
}

export type NamedNode = RecordNode | EnumNode | FixedNode;

/** A name whose definition was not finished where it stands: the type around it, or one that follows. `target` is set before anybody compares. */
export interface ReferenceNode extends Place {
  readonly kind: 'reference';
  readonly name: string;
  target?: NamedNode;
}

export type SchemaNode = PrimitiveNode | CollectionNode | UnionNode | NamedNode | ReferenceNode;
export type ActualNode = Exclude<SchemaNode, ReferenceNode>;

export interface FieldNode {
  readonly name: string;
  readonly pointer: string;
  readonly json: AvroNode;
  readonly type: SchemaNode;
  readonly aliases: ReadonlySet<string>;
  readonly order: string;
  /** JSON; undefined when there is none. */
  readonly default: unknown;
}

/** The type a node stands for. */
export function actual(node: SchemaNode): ActualNode {
  return node.kind === 'reference' ? node.target! : node;
}

/** What a union tells its branches apart by: the full name, or the kind of a type without a name. */
export function branchNameOf(node: ActualNode): string {
  return 'fullName' in node ? node.fullName : node.kind;
}

const BRANCHES_SHOWN = 6;

/** `record hr.Address`, `union of null, string`. */
export function describe(node: SchemaNode): string {
  const type = actual(node);
  if (type.kind === 'fixed') return `fixed ${type.fullName} of ${type.size} bytes`;
  if ('fullName' in type) return `${type.kind} ${type.fullName}`;
  if (type.kind !== 'union') return type.kind;
  const names = type.branches.slice(0, BRANCHES_SHOWN).map((branch) => branchNameOf(actual(branch)));
  const more = type.branches.length - names.length;
  return names.length === 0 ? 'union of nothing' : `union of ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
