import { posix } from 'node:path';
import { readContracts } from '../contract-file.js';
import { generateContracts } from '../generate.js';
import { readSchemas } from '../schemas.js';
import type { Workspace } from './workspace.js';

/** Brings what `factline contracts gen` would write into a workspace, so that it is shown and written with what it follows from. @throws FactlineError as `generate` does. */
export async function regenerate(workspace: Workspace, { schemas, apps }: { schemas: string; apps: string }): Promise<void> {
  for (const contract of await readContracts(workspace, apps, await readSchemas(workspace, schemas))) {
    await workspace.put(posix.join(posix.dirname(contract.file), 'src', 'contracts.generated.ts'), generateContracts(contract));
  }
}
