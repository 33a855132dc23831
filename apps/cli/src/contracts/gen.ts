import type { Command } from 'commander';
import { checkGenerated, generate } from 'factline/contracts/evolve';
import { type CommonOptions, exitWith } from '../command.js';

/** `factline contracts gen`: what an app declares, as TypeScript. */
export function genCommand(contracts: Command): void {
  contracts
    .command('gen')
    .description('write the types of each apps/<app>/contracts.yaml')
    .option('--check', 'change nothing; fail when a generated file is out of date')
    .option('--root <folder>', 'folder with schemas/ and apps/ (default: here)')
    .option('--json', 'print JSON')
    .action((options: CommonOptions & { check?: boolean }) =>
      exitWith(options, async (output) => {
        const root = options.root ?? process.cwd();
        if (options.check) {
          await checkGenerated(root);
          output.print({ drift: false }, 'generated files are up to date');
          return;
        }
        const files = await generate(root);
        output.print({ files }, ...files.map(({ file, changed }) => `${changed ? 'written   ' : 'unchanged '} ${file}`));
      }),
    );
}
