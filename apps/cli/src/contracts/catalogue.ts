import type { Command } from 'commander';
import { generateCatalogue } from 'factline/contracts/catalogue';
import { type CommonOptions, exitWith } from '../command.js';
import { type DeclarationOptions, withDeclarations } from './declarations.js';

interface CatalogueOptions extends CommonOptions, DeclarationOptions {
  check?: boolean;
  out?: string;
  env?: string[];
}

/** `factline contracts catalogue`: who states and who reads what, as pages, as one graph, and as AsyncAPI. */
export function catalogueCommand(contracts: Command): void {
  const command = contracts
    .command('catalogue')
    .description('write static pages, one graph as JSON and an AsyncAPI document for each app')
    .option('--check', 'change nothing; fail when a generated file is out of date')
    .option('--out <folder>', 'where to write (default: docs/catalogue)')
    .option('--env <name...>', 'show what deployments/<name>.json says is deployed');
  withDeclarations(command).action(({ root = process.cwd(), env, ...options }: CatalogueOptions) =>
    exitWith(options, async (output) => {
      const { json: _json, ...rest } = options;
      const files = await generateCatalogue(root, { ...rest, ...(env && { environments: env }) });
      const changed = files.filter((file) => file.changed);
      if (options.check) output.print({ drift: false }, `the catalogue is up to date (${files.length} files)`);
      else output.print({ files }, changed.map(({ file }) => `written    ${file}`), `${changed.length} of ${files.length} files changed`);
    }),
  );
}
