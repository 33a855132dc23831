import type { Command } from 'commander';
import type { Repository } from 'factline/contracts/check';

/** What every command that reads declarations is told. */
export interface DeclarationOptions {
  root?: string;
  schemas: string;
  apps: string;
}

const FOLDERS = { schemas: 'schemas', apps: 'apps' };

/** The options every such command has. */
export function withDeclarations(command: Command): Command {
  return command
    .option('--schemas <folder>', 'folder of the schemas below the root', FOLDERS.schemas)
    .option('--apps <folder>', 'folder of the apps below the root', FOLDERS.apps)
    .option('--root <folder>', 'folder with schemas/ and apps/ (default: here)')
    .option('--json', 'print JSON');
}

export function repositoryOf({ root = process.cwd(), schemas, apps }: DeclarationOptions): Repository {
  return { root, schemas, apps };
}

/** Today in UTC, wherever it runs. */
export function today(): string {
  return new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
}
