import { Option, type Command } from 'commander';
import { type CheckResult, type Finding, type Landscape, RULES, type RuleId, checkContracts, commitTree, mergeBase, readLandscape, workingTree } from 'factline/contracts/check';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from './command.js';
import { EXIT_CODES, type Output, count } from './output.js';

const DEFAULT_BASE = 'git:merge-base(origin/main)';
const FOLDERS = { schemas: 'schemas', apps: 'apps' };

interface CheckOptions extends CommonOptions {
  against: string;
  schemas: string;
  apps: string;
}

/** `factline contracts check | explain`: whom a change breaks, before it is merged. */
export function checkCommand(contracts: Command): void {
  contracts
    .command('check')
    .description('compare schemas and contracts with what was there before, and name the apps that break; offline')
    .addOption(new Option('--against <base>', `what to compare with: git:merge-base(<ref>) or git:<revision>`).default(DEFAULT_BASE))
    .option('--schemas <folder>', 'folder of the schemas below the root', FOLDERS.schemas)
    .option('--apps <folder>', 'folder of the apps below the root', FOLDERS.apps)
    .option('--root <folder>', 'folder with schemas/ and apps/ (default: here)')
    .option('--json', 'print JSON')
    .action((options: CheckOptions) =>
      exitWith(options, async (output) => {
        const root = options.root ?? process.cwd();
        const here = workingTree(root);
        if ((await here.list(options.schemas)).length === 0) throw noSchemas(root, options.schemas);
        const now = await readLandscape(here, options);
        const before = await landscapeOf(await baseTree(root, options.against), options);
        const result = checkContracts(now, before);
        report(output, result, before.name);
        return result.findings.some(({ severity }) => severity !== 'info') ? EXIT_CODES.findings : 0;
      }),
    );
  contracts
    .command('explain')
    .argument('[rule]', 'id of a rule; without it all are listed')
    .description('what a rule says, why, and the way that works')
    .option('--json', 'print JSON')
    .action((id: string | undefined, options: CommonOptions) => exitWith(options, async (output) => explain(output, id)));
}

async function landscapeOf(base: Awaited<ReturnType<typeof commitTree>>, folders: typeof FOLDERS): Promise<Landscape> {
  try {
    return await readLandscape(base, folders);
  } catch (error) {
    if (!(error instanceof FactlineError) || error.kind !== 'configuration') throw error;
    throw new FactlineError({ code: error.code, kind: error.kind, message: `In ${base.name}: ${error.message}`, advice: 'What it is compared with cannot be read; compare with another commit.', details: error.details, cause: error });
  } finally {
    await base.close();
  }
}

async function baseTree(root: string, against: string) {
  const [, ref, revision] = /^git:(?:merge-base\((.+)\)|(.+))$/.exec(against) ?? [];
  if (ref) return commitTree(root, await mergeBase(root, ref), `merge base with ${ref}`);
  if (revision) return commitTree(root, revision);
  throw new FactlineError({
    code: 'cli.base-unknown',
    kind: 'invalid',
    message: `'${against}' is nothing to compare with.`,
    advice: `Write git:merge-base(<ref>) or git:<revision>; the default is ${DEFAULT_BASE}.`,
  });
}

/** Nothing at all is more likely a wrong folder than a repository that gave up all its facts. */
function noSchemas(root: string, folder: string): FactlineError {
  return new FactlineError({ code: 'cli.no-schemas', kind: 'configuration', message: `There is nothing in ${folder}/ of ${root}.`, advice: 'Run this in the root of the repository, or pass --root <folder> and --schemas <folder>.' });
}

const VERDICTS = { BROKEN: ['BREAKS', 'red'], DEGRADED: ['DEGRADES', 'yellow'], SAFE: ['safe', 'green'] } as const;
const SEVERITIES = { error: 'red', warning: 'yellow', info: 'cyan' } as const;
/** Width of the first word of each line under a finding. */
const LABEL = 10;

function report(output: Output, { findings, consumers, facts }: CheckResult, against: string): void {
  const shown = findings.filter(({ severity }) => severity !== 'info');
  const [errors, warnings] = [shown.filter(({ severity }) => severity === 'error').length, shown.filter(({ severity }) => severity === 'warning').length];
  const summary = `${count(facts.checked)} fact types against ${against}: ${facts.added} new, ${facts.changed} changed, ${facts.removed} gone`;
  const verdict = shown.length === 0 ? output.paint('nothing breaks', 'green') : output.paint(`${errors} errors, ${warnings} warnings`, errors > 0 ? 'red' : 'yellow');
  output.print({ version: 1, against, facts, findings, consumers }, ...findings.flatMap((finding) => [...linesOf(output, finding), '']), `${summary}; ${verdict}`);
}

function linesOf(output: Output, { place, severity, rule, fact, field, message, against, consumers, advice }: Finding): string[] {
  const label = (text: string, ...colours: Parameters<Output['paint']>[1][]) => `  ${output.paint(text.padEnd(LABEL), ...colours)}`;
  const lines = [
    `${place.file}:${place.line}:${place.column}  ${output.paint(severity, SEVERITIES[severity], 'bold')}  ${rule}  ${output.paint(field ? `${fact}.${field}` : fact, 'bold')}`,
    `  ${message}${message.endsWith('.') ? '' : '.'} ${output.paint(`Against ${against.join(', ')}.`, 'dim')}`,
  ];
  for (const { app, verdict, place: at, tree } of consumers) {
    if (verdict === 'SAFE') continue;
    const [word, colour] = VERDICTS[verdict];
    lines.push(`${label(word, colour, 'bold')}${app}  selects it at ${at.file}:${at.line}${tree ? `, as it was at ${tree}` : ''}`);
  }
  const safe = consumers.filter(({ verdict }) => verdict === 'SAFE').map(({ app }) => app);
  if (safe.length > 0) lines.push(`${label('safe', 'green')}${[...new Set(safe)].join(', ')}`);
  if (advice) lines.push(`${label('do this', 'bold')}${advice}`);
  return lines;
}

function explain(output: Output, id: string | undefined): number | void {
  if (id === undefined) {
    const rules = Object.entries(RULES);
    output.print({ rules: Object.fromEntries(rules) }, ...rules.map(([name, { severity, says }]) => `${name.padEnd(24)} ${severity.padEnd(8)} ${says}`));
    return;
  }
  if (!Object.hasOwn(RULES, id)) {
    throw new FactlineError({ code: 'cli.rule-unknown', kind: 'not-found', message: `There is no rule '${id}'.`, advice: 'factline contracts explain lists them.' });
  }
  const { severity, says, why, before, after, instead } = RULES[id as RuleId];
  const part = (label: string, text: string) => (text ? [`  ${output.paint(label.padEnd(LABEL), 'bold')}${text}`] : []);
  output.print({ rule: id, ...RULES[id as RuleId] }, `${output.paint(id, 'bold')}  ${severity}  ${says}`, ...part('why', why), ...part('before', before), ...part('after', after), ...part('instead', instead));
}
