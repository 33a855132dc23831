import { declaredContracts } from '../raw-contract.js';
import { readSchemas } from '../schemas.js';
import type { Landscape } from './check.js';
import { Places } from './places.js';
import type { FileTree } from './tree.js';

/**
 * Reads schemas and contracts of a tree. Contracts are read as they stand: one that selects a field which is gone is something to report, not to refuse.
 * A tree without the folder of schemas holds nothing.
 * @throws FactlineError as `loadSchemas` does, and `contract.invalid`.
 */
export async function readLandscape(tree: FileTree, folders: { schemas: string; apps: string }): Promise<Landscape> {
  const schemas = await readSchemas(tree, folders.schemas);
  const contracts = await declaredContracts(tree, folders.apps);
  const files = [...[...schemas.definitions.values()].map(({ file }) => `${folders.schemas}/${file}`), ...contracts.map(({ file }) => file)];
  const present = new Set([...(await tree.list(folders.schemas)), ...(await tree.list(folders.apps))]);
  const texts = new Map<string, string>();
  for (const file of new Set(files)) if (present.has(file)) texts.set(file, await tree.read(file));
  return { name: tree.name, schemas, contracts, places: new Places(schemas, folders.schemas, texts) };
}
