import { type Command, Option } from 'commander';
import { BASES, DEFAULT_BASE, readDeclarations, sourcesOf } from 'factline/contracts/check';
import { changesSince } from 'factline/contracts/evolve';
import { type CommonOptions, exitWith } from '../command.js';
import { type DeclarationOptions, repositoryOf, withDeclarations } from './declarations.js';
import { registryAt } from './registry.js';
import { type Difference, jsonOf, textOf } from './reports/changes.js';
import { markdownOf } from './reports/changes-markdown.js';
import type { Output } from '../output.js';

interface DiffOptions extends CommonOptions, DeclarationOptions {
  against: string[];
  format: keyof typeof FORMATS;
}

const FORMATS = {
  text: (differences: readonly Difference[], output: Output) => textOf(differences, (...painted) => output.paint(...painted)),
  markdown: markdownOf,
  json: (differences: readonly Difference[]) => [JSON.stringify(jsonOf(differences))],
} as const;

/** `factline contracts diff`: what is declared otherwise, and whom it hits. It judges nothing: `check` does, with acceptances, dates and grants. */
export function diffCommand(contracts: Command): void {
  withDeclarations(contracts.command('diff'))
    .description('list what is declared otherwise than before, with the apps that each change breaks or degrades; answers 0 whatever it finds')
    .addOption(new Option('--against <base...>', `what to compare with, one or more: ${BASES}`).default([DEFAULT_BASE], DEFAULT_BASE))
    .addOption(new Option('--format <format>', 'for people, for the top of a pull request, or for programs').choices(Object.keys(FORMATS)).default('text'))
    .action((options: DiffOptions) =>
      exitWith(options, async (output) => {
        const repository = repositoryOf(options);
        const { read } = await sourcesOf(options.against, repository, (url) => registryAt(url, repository.root));
        const now = await readDeclarations(repository);
        const differences = (await read()).map((base): Difference => ({ against: base.name, changes: changesSince(base, now) }));
        output.print(jsonOf(differences), FORMATS[options.format](differences, output));
      }),
    );
}
