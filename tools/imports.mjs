// Runs the rules of .dependency-cruiser.cjs over the folder it is started in: one violation a line, `file:line  rule  what is imported`,
// and below it what to write instead (the tool's own reporters know no lines).
import { existsSync, readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

const roots = ['libs', 'apps', 'e2e', 'bench', 'tools'].filter((folder) => existsSync(folder));
const { output } = await cruise(roots, await extractDepcruiseOptions('./.dependency-cruiser.cjs'));
const { modules, summary } = output;

/** The line that names the module in an import or an export; 1 when the parser knew better. */
function lineOf(file, specifier) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return Math.max(1, 1 + lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`)));
}

const specifiers = new Map(modules.flatMap(({ source, dependencies }) => dependencies.map(({ resolved, module }) => [`${source} ${resolved}`, module])));
const advice = new Map(summary.ruleSetUsed.forbidden.map((rule) => [rule.name, rule.comment]));
for (const { from, to, rule, cycle } of summary.violations.toSorted((left, right) => left.from.localeCompare(right.from))) {
  const specifier = specifiers.get(`${from} ${to}`) ?? to;
  const what = cycle ? `cycle ${[from, ...cycle.map((step) => step.name)].join(' -> ')}` : `imports ${specifier}`;
  console.error(`${from}:${lineOf(from, specifier)}  ${rule.name}  ${what}\n    ${advice.get(rule.name)}`);
}
console.log(`imports: ${summary.violations.length} violations in ${modules.length} modules, ${specifiers.size} imports`);
// Nothing seen is nothing checked: without its parser the tool finds no import and would call that a success.
if (specifiers.size === 0) console.error('imports: no import was seen at all; is @swc/core installed?');
process.exitCode = summary.violations.length > 0 || specifiers.size === 0 ? 1 : 0;
