import { Option, type Command } from 'commander';
import { BASES, type CheckResult, DEFAULT_BASE, RULES, type RuleId, checkRepository, sourcesOf, workingTree } from 'factline/contracts/check';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import { EXIT_CODES, type Output } from '../output.js';
import { type DeclarationOptions, repositoryOf, today, withDeclarations } from './declarations.js';
import { registryAt } from './registry.js';
import { remembered } from './remembered.js';
import { LABEL, REPORTS, type ReportFormat } from './report.js';
import { stands } from './reports/telling.js';

interface CheckOptions extends CommonOptions, DeclarationOptions {
  against?: string[];
  format: ReportFormat;
  failOn: 'warning' | 'error';
  cache: boolean;
}

/** `factline contracts check | explain`: whom a change breaks, before it is merged. */
export function checkCommand(contracts: Command): void {
  withDeclarations(contracts.command('check'))
    .description('compare schemas and contracts with what was there before, and name the apps that break; offline')
    .addOption(new Option('--against <base...>', `what to compare with, one or more: ${BASES} (default: ${DEFAULT_BASE}, and lock when there is one)`))
    .addOption(new Option('--format <format>', 'for people, for a pull request, for annotations in GitHub Actions, or for programs').choices(Object.keys(REPORTS)).default('text'))
    .addOption(new Option('--fail-on <severity>', 'what makes it answer 100; accepted findings never do').choices(['warning', 'error']).default('warning'))
    .option('--no-cache', 'judge everything anew, though nothing has changed since the last time')
    .action((options: CheckOptions) =>
      exitWith(options, async (output) => {
        const { result, against } = await checked(options);
        const format = options.json ? 'json' : options.format;
        REPORTS[format](output, result, against);
        if (result.reduced && format !== 'json') process.stderr.write(`reduced  ${result.reduced.message}\nnext     ${result.reduced.advice}\n`);
        return exitCodeOf(result, options.failOn);
      }),
    );
  contracts
    .command('explain')
    .argument('[rule]', 'id of a rule; without it all are listed')
    .description('what a rule says, why, and the way that works')
    .option('--json', 'print JSON')
    .action((id: string | undefined, options: CommonOptions) => exitWith(options, async (output) => explain(output, id)));
}

interface Checked {
  readonly result: CheckResult;
  readonly against: string;
}

async function checked(options: CheckOptions): Promise<Checked> {
  const repository = repositoryOf(options);
  const { root } = repository;
  const tree = workingTree(root);
  const { ids, reduced, read } = await sourcesOf(options.against, repository, (url) => registryAt(url, root));
  const day = today();
  const work = async (): Promise<Checked> => {
    const bases = await read();
    const result = await checkRepository(repository, bases, day);
    const names = bases.map(({ name }) => name).join(' and ');
    return reduced ? { result: { ...result, reduced: { message: reduced.message, advice: reduced.advice ?? '' } }, against: `${names} alone (${reduced.code})` } : { result, against: names };
  };
  if (!options.cache || ids.includes(undefined)) return work(); // a registry says only when asked what it has
  return remembered({ root, tree, folders: options, also: [day, reduced?.message ?? '', ...ids.map(String)] }, JSON.stringify([options.schemas, options.apps, options.against]), work);
}

function exitCodeOf({ findings }: CheckResult, failOn: CheckOptions['failOn']): number {
  return findings.some((finding) => stands(finding) && (failOn === 'warning' || finding.severity === 'error')) ? EXIT_CODES.findings : 0;
}

function explain(output: Output, id: string | undefined): number | void {
  if (id === undefined) {
    const rules = Object.entries(RULES);
    output.print({ rules: Object.fromEntries(rules) }, ...rules.map(([name, { severity, says }]) => `${name.padEnd(28)} ${severity.padEnd(8)} ${says}`));
    return;
  }
  if (!Object.hasOwn(RULES, id)) {
    throw new FactlineError({ code: 'cli.rule-unknown', kind: 'not-found', message: `There is no rule '${id}'.`, advice: 'factline contracts explain lists them.' });
  }
  const { severity, says, why, before, after, instead } = RULES[id as RuleId];
  const part = (label: string, text: string) => (text ? [`  ${output.paint(label.padEnd(LABEL), 'bold')}${text}`] : []);
  output.print({ rule: id, ...RULES[id as RuleId] }, `${output.paint(id, 'bold')}  ${severity}  ${says}`, ...part('why', why), ...part('before', before), ...part('after', after), ...part('instead', instead));
}
