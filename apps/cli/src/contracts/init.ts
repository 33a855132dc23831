import type { Command } from 'commander';
import { writeStarter } from 'factline/contracts/evolve';
import { type CommonOptions, exitWith } from '../command.js';
import { type DeclarationOptions, repositoryOf, withDeclarations } from './declarations.js';
import { LABEL } from './report.js';

/** `factline contracts init`: something to check, where nothing is declared yet. */
export function initCommand(contracts: Command): void {
  withDeclarations(contracts.command('init'))
    .description('write a small example: a topic, a fact, the app that states it and an app that reads it; only where nothing is declared yet')
    .action((options: CommonOptions & DeclarationOptions) =>
      exitWith(options, async (output) => {
        const { root, ...folders } = repositoryOf(options);
        const { files, next } = await writeStarter(root, folders);
        const label = (text: string) => output.paint(text.padEnd(LABEL), 'bold');
        output.print({ files, next }, ...files.map((file) => `${label('created')}${file}`), ...next.map((step, at) => `${label(at === 0 ? 'next' : '')}${step}`));
      }),
    );
}
