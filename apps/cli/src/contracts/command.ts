import type { Command } from 'commander';
import { checkGenerated, generate } from 'factline/contracts';
import { type CommonOptions, exitWith } from '../command.js';
import { acceptCommand } from './accept.js';
import { catalogueCommand } from './catalogue.js';
import { checkCommand } from './check.js';
import { deployCommands } from './deploy.js';
import { whyCommand } from './why.js';
import { decodeCommand } from './decode.js';
import { evolveCommands } from './evolve.js';
import { compatCommand } from './compat.js';
import { planCommands } from './plan.js';
import { pullCommand } from './pull.js';
import { trimCommand } from './trim.js';

/** `factline contracts ...`: what apps produce and consume, field by field. */
export function contractsCommand(program: Command): void {
  const contracts = program.command('contracts').description('what apps produce and consume, field by field');
  checkCommand(contracts);
  whyCommand(contracts);
  deployCommands(contracts);
  acceptCommand(contracts);
  decodeCommand(contracts);
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
  evolveCommands(contracts);
  compatCommand(contracts);
  pullCommand(contracts);
  planCommands(contracts);
  trimCommand(contracts);
  catalogueCommand(contracts);
}
