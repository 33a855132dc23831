import { type SchemaNode, type UnionNode, branchNameOf } from './parsed-schema.js';
import { type Side, invalidSchema } from './schema-error.js';

/** A union holds no union, and no two branches of one name. Names whose definition is not known yet are passed over: they are checked when they are resolved. */
export function checkBranches({ branches, pointer }: UnionNode, side: Side): void {
  const names = new Set<string>();
  for (const branch of branches) {
    const type: SchemaNode | undefined = branch.kind === 'reference' ? branch.target : branch;
    if (!type) continue;
    if (type.kind === 'union') throw invalidSchema(side, branch.pointer, 'a union cannot hold a union directly.');
    const name = branchNameOf(type);
    if (names.has(name)) throw invalidSchema(side, pointer, `the union has '${name}' twice.`);
    names.add(name);
  }
}
