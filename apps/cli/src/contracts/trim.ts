import { join } from 'node:path';
import type { Command } from 'commander';
import { type Landscape, readDeclarations, workingTree } from 'factline/contracts/check';
import { type TrimPlan, planTrims, replaceFile } from 'factline/contracts/evolve';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import { EXIT_CODES, type Output } from '../output.js';
import { type DeclarationOptions, repositoryOf, withDeclarations } from './declarations.js';

interface TrimOptions extends CommonOptions, DeclarationOptions {
  dryRun?: boolean;
}

/** `factline contracts trim`: takes out of selections what no code reads. */
export function trimCommand(contracts: Command): void {
  withDeclarations(contracts.command('trim'))
    .argument('[app]', 'only the contract of this app')
    .description('take selected fields that no code reads out of contracts.yaml; needs oxc-parser')
    .option('--dry-run', 'change nothing; answer 100 when there is something to take out')
    .action((app: string | undefined, options: TrimOptions) =>
      exitWith(options, async (output) => {
        const repository = repositoryOf(options);
        const tree = workingTree(repository.root);
        const now = await readDeclarations(repository);
        if (app !== undefined) assertKnown(now, app);
        const plans = await planTrims(now, tree, app === undefined ? undefined : [app]);
        const changed = plans.filter(({ before, after }) => before !== after);
        if (!options.dryRun) for (const { file, after } of changed) await replaceFile(join(repository.root, file), after);
        print(output, plans, changed, options.dryRun ?? false);
        return plans.some(({ left }) => left.length > 0) || (options.dryRun && changed.length > 0) ? EXIT_CODES.findings : 0;
      }),
    );
}

function assertKnown({ contracts }: Landscape, app: string): void {
  if (contracts.some((contract) => contract.app === app)) return;
  throw new FactlineError({ code: 'cli.app-unknown', kind: 'not-found', message: `No contracts.yaml is the contract of '${app}'.`, advice: `Known are: ${contracts.map((contract) => contract.app).join(', ')}.` });
}

function print(output: Output, plans: readonly TrimPlan[], changed: readonly TrimPlan[], dryRun: boolean): void {
  const data = plans.map(({ app, file, trimmings, left, lost }) => ({ app, file, trimmings, left, lost }));
  const lines = plans.flatMap((plan) => [...changesOf(output, plan), ...plan.left.map((each) => leftText(plan, each)), ...plan.lost.map(({ fact, at }) => `${at}  ${fact} goes where it cannot be followed from here: all that is selected counts as read`)]);
  const next = changed.length === 0 ? [] : [`next   ${dryRun ? 'the same without --dry-run, then ' : ''}npx factline contracts gen; then rebuild the read models that fold these facts: factline replay run <name> --app <app>`];
  const nothing = plans.every(({ trimmings, left }) => trimmings.length === 0 && left.length === 0) ? ['every selected field is read, or may be'] : [];
  output.print({ dryRun, apps: data }, lines, next, nothing);
}

function leftText({ app }: TrimPlan, { fact, place, reason, unread }: TrimPlan['left'][number]): string {
  const at = `${place.file}:${place.line}:${place.column}  ${fact}`;
  if (reason === 'unused') return `${at}: no code of ${app} uses it; drop the entry`;
  if (reason === 'wildcard') return `${at}: '*' selects ${unread.join(', ')}, which no code reads; name the fields that are read`;
  return `${at}: nothing that is selected is read (${unread.join(', ')}); drop the entry, or select the key field alone when it matters that the fact happened`;
}

/** What changes, and why. */
function changesOf(output: Output, { file, diff, trimmings }: TrimPlan): string[] {
  if (diff === '') return [];
  const said = trimmings.map(({ fact, fields }) => `  ${fact}: no code reads ${fields.join(', ')}`);
  const lines = diff.trimEnd().split('\n').slice(2); // the first two name the file
  return [output.paint(file, 'bold'), ...said, ...lines.map((line) => (line.startsWith('-') ? output.paint(line, 'red') : line.startsWith('+') ? output.paint(line, 'green') : line)), ''];
}
