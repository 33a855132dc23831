import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { BASES, DEFAULT_BASE, type RuleId, acceptFinding, readDeclarations, sourcesOf, workingTree } from 'factline/contracts/check';
import { replaceFile } from 'factline/contracts/evolve';
import { type CommonOptions, exitWith } from '../command.js';
import { type DeclarationOptions, repositoryOf, today, withDeclarations } from './declarations.js';
import { registryAt } from './registry.js';

interface AcceptOptions extends CommonOptions, DeclarationOptions {
  against?: string[];
  field?: string;
  reason: string;
  until: string;
  by: string;
}

/** `factline contracts accept`: somebody answers for a finding. */
export function acceptCommand(contracts: Command): void {
  withDeclarations(contracts.command('accept'))
    .argument('<rule>', 'of the finding')
    .argument('<fact>', 'full name: hr.EmployeeCreated')
    .description('let one finding of `check` pass until a day: adds an entry to accepted.yaml that holds for these two schemas and these apps alone')
    .option('--field <field>', 'as the finding names it; without it, the finding about the fact itself')
    .requiredOption('--reason <text>', 'why it is right all the same')
    .requiredOption('--until <date>', 'the last day that counts, YYYY-MM-DD, at most 400 days away')
    .requiredOption('--by <who>', 'who answers for it')
    .addOption(new Option('--against <base...>', `what \`check\` compares with, one or more: ${BASES} (default: ${DEFAULT_BASE}, and lock when there is one)`))
    .action((rule: string, fact: string, options: AcceptOptions) =>
      exitWith(options, async (output) => {
        const { field = '', reason, until, by, schemas } = options;
        const repository = repositoryOf(options);
        const { root } = repository;
        const { reduced, read } = await sourcesOf(options.against, repository, (url) => registryAt(url, root));
        if (reduced) throw reduced; // pinned to fewer schemas than the check of the whole history compares, it would not hold there
        const request = { rule: rule as RuleId, fact, field, reason, until, approvedBy: by, schemas, today: today() };
        const { file, text, accepted } = await acceptFinding(workingTree(root), await readDeclarations(repository), await read(), request);
        await replaceFile(join(root, file), text);
        const { from, to, apps, place } = accepted;
        const affected = apps.length > 0 ? `, affecting ${apps.join(', ')}` : '';
        const what = `${rule} of ${field ? `${fact}.${field}` : fact} from ${from.join(', ')} to ${to}${affected}`;
        output.print({ file, accepted }, `written  ${file}:${place.line}  ${what}`, `until    ${until}, by ${by}: ${reason}`);
      }),
    );
}
