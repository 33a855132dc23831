import { Option, type Command } from 'commander';
import { type Landscape, RULES, type RuleId, checkContracts, commitTree, mergeBase, readLandscape, workingTree } from 'factline/contracts/check';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import { LABEL, REPORTS, type ReportFormat } from './report.js';
import { EXIT_CODES, type Output } from '../output.js';

const DEFAULT_BASE = 'git:merge-base(origin/main)';
const FOLDERS = { schemas: 'schemas', apps: 'apps' };

interface CheckOptions extends CommonOptions {
  against: string;
  schemas: string;
  apps: string;
  format: ReportFormat;
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
    .addOption(new Option('--format <format>', 'for people, for a pull request, for annotations in GitHub Actions, or for programs').choices(Object.keys(REPORTS)).default('text'))
    .option('--json', 'the same as --format json')
    .action((options: CheckOptions) =>
      exitWith(options, async (output) => {
        const root = options.root ?? process.cwd();
        const here = workingTree(root);
        if ((await here.list(options.schemas)).length === 0) throw noSchemas(root, options.schemas);
        const now = await readLandscape(here, options);
        const before = await landscapeOf(await baseTree(root, options.against), options);
        const result = checkContracts(now, before);
        REPORTS[options.json ? 'json' : options.format](output, result, before.name);
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
