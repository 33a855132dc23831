import { simpleNameOf } from '../avro-json.js';
import { listed, subject } from './incompatibility.js';
import type { JsFault } from './js-fault.js';
import type { ParsedSchema } from './parse.js';
import { type ActualNode, type RecordNode, type SchemaNode, type UnionNode, actual, describe } from './parsed-schema.js';
import type { Side } from './schema-error.js';

/** Types whose values look alike in JavaScript; a type that is not listed looks like itself only. */
const LOOKS: Readonly<Record<string, string>> = { int: 'number', long: 'number', float: 'number', double: 'number', bytes: 'buffer', fixed: 'buffer', string: 'text', enum: 'text', map: 'object', record: 'object' };

/** What is known of a schema without asking avsc, whose words do not say where, or that avsc finds out with the values only. */
export function hazardsOf(schema: ParsedSchema, side: Side): JsFault[] {
  const found: JsFault[] = schema.fallbacks.map(({ name, pointer }) => ({
    kind: 'name-refused',
    path: '',
    message: `The ${side}'s schema at ${pointer} means '${name}' without a namespace, and avsc looks in the namespace around it.`,
  }));
  eachType(schema.root, (type, path) => {
    if (type.kind === 'record') found.push(...namesIn(type, side, path));
    else if (type.kind === 'union' && side === 'reader') found.push(...ambiguous(type, path));
  });
  return found;
}

function ambiguous(union: UnionNode, path: string): JsFault[] {
  const branches = union.branches.map(actual);
  const looks = new Set(branches.map(lookOf));
  return [...looks].flatMap((look): JsFault[] => {
    const alike = branches.filter((branch) => lookOf(branch) === look);
    if (alike.length === 1) return [];
    return [{ kind: 'union-ambiguous', path, message: `${subject(path)} can be either of ${listed(alike.map(describe))}, which are one kind of value in JavaScript.` }];
  });
}

function lookOf({ kind }: ActualNode): string {
  return LOOKS[kind] ?? kind;
}

/**
 * Names with which avsc builds a resolver that fails, or that silently reads other bytes: it looks fields up in plain objects (a field 'toString' that nobody
 * selected is not skipped), and reads the field 'x' into a variable '_x', which hides a record named '_x'.
 */
function namesIn({ fields, fieldByName, fullName }: RecordNode, side: Side, path: string): JsFault[] {
  const simpleName = simpleNameOf(fullName);
  const hidden = simpleName.startsWith('_') && fieldByName.has(simpleName.slice(1));
  const taken = fields.filter(({ name }) => name in Object.prototype);
  return [
    ...(hidden ? [`the record ${fullName} has a field of its name without the underscore`] : []),
    ...taken.map(({ name }) => `the record ${fullName} has a field '${name}', as every JavaScript object has`),
  ].map((what) => ({ kind: 'name-refused', path, message: `avsc cannot read the ${side}'s schema: ${what}.` }));
}

/** Each type once, with its first path. */
function eachType(root: SchemaNode, visit: (type: ActualNode, path: string) => void): void {
  const met = new Set<ActualNode>();
  const open = [{ node: root, path: '' }];
  for (let next = open.pop(); next; next = open.pop()) {
    const type = actual(next.node);
    const { path } = next;
    if (met.has(type)) continue;
    met.add(type);
    visit(type, path);
    if (type.kind === 'record') open.push(...type.fields.map((field) => ({ node: field.type, path: path === '' ? field.name : `${path}.${field.name}` })).reverse());
    else if (type.kind === 'union') open.push(...type.branches.map((node) => ({ node, path })).reverse());
    else if (type.kind === 'array' || type.kind === 'map') open.push({ node: type.items, path: `${path}${type.kind === 'array' ? '[]' : '{}'}` });
  }
}
