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
  const texts = new Map<string, string>();
  const remembering: FileTree = {
    name: tree.name,
    list: (folder) => tree.list(folder),
    read: async (file) => {
      const text = await tree.read(file);
      texts.set(file, text);
      return text;
    },
  };
  const schemas = await readSchemas(remembering, folders.schemas);
  const contracts = await declaredContracts(remembering, folders.apps);
  return { name: tree.name, schemas, contracts, places: new Places(schemas, folders.schemas, texts) };
}
