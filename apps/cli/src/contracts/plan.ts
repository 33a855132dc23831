import type { Command } from 'commander';
import { type AppliedStep, type PlannedSubject, applyPlan, planRegistry } from 'factline/contracts/lock';
import { EXIT_CODES, type Output, count } from '../output.js';
import { type RegistryCommandOptions, type RegistryTask, registryCommand } from './registry.js';

interface PlanCommandOptions extends RegistryCommandOptions {
  lowerLevel?: boolean;
}

/** `factline contracts plan | apply`: what is declared, into the registry. */
export function planCommands(contracts: Command): void {
  const verb = (name: string, description: string, run: (task: RegistryTask<PlanCommandOptions>) => Promise<number>) =>
    registryCommand<PlanCommandOptions>(contracts.command(name).option('--lower-level', 'also set a level that demands less than the one that is enforced'), description, run);
  verb('plan', 'what apply would do: levels to set, versions to register, what is refused and why; changes nothing', async (task) => (await plan(task)).code);
  verb('apply', 'set levels and register versions in the registry, after telling what; never deletes', apply);
}

async function plan({ output, options, registry, facts }: RegistryTask<PlanCommandOptions>): Promise<{ planned: PlannedSubject[]; code: number }> {
  const planned = await planRegistry(facts, registry, { lowerLevel: options.lowerLevel ?? false });
  const refused = planned.filter(({ refusals }) => refusals.length > 0).length;
  const [levels, versions] = [planned.filter(({ level }) => level).length, planned.filter(({ version }) => version).length];
  const verdict = refused > 0 ? output.paint(`${count(refused)} refused`, 'red') : levels + versions === 0 ? 'nothing to do' : output.paint('can be applied', 'green');
  output.print(
    { event: 'plan', version: 1, registry: registry.address, refused, subjects: planned.map(({ fact, ...rest }) => ({ subject: fact.factName, owner: fact.topic.owner, ...rest })) },
    ...planned.flatMap((one) => linesOf(output, one)),
    `${count(planned.length)} subjects in ${registry.address}: ${count(levels)} levels to set, ${count(versions)} versions to register; ${verdict}`,
  );
  return { planned, code: refused > 0 ? EXIT_CODES['findings']! : 0 };
}

const NEWS = { first: 'its first version', documentation: 'documentation only', contract: 'the contract changed' } as const;

function linesOf(output: Output, { fact, level, version, refusals, disagreement }: PlannedSubject): string[] {
  const label = (word: string) => `  ${word.padEnd(10)}`;
  const lines = [
    ...(level ? [`${label('level')}${level.from ?? 'none of its own'} -> ${level.to}`] : []),
    ...(version ? [`${label('register')}version ${version.number}: ${NEWS[version.news]}`] : []),
    ...(disagreement === undefined ? [] : [output.paint(`${label('differ')}${disagreement}`, 'yellow')]),
    ...refusals.map((refusal) => `${output.paint(label('refused'), 'red')}${refusal}`),
  ];
  return lines.length > 0 ? [output.paint(fact.factName, 'bold'), ...lines] : [`${output.paint(fact.factName, 'bold')}  nothing`];
}

async function apply(task: RegistryTask<PlanCommandOptions>): Promise<number> {
  const { output, registry } = task;
  const { planned, code } = await plan(task);
  const { done, left, stopped } = await applyPlan(planned, registry, (step) => output.print({ event: 'done', ...step }, stepLine(step)));
  const remains = left.length > 0 ? `not done: ${left.join(', ')}` : 'all is as declared';
  output.print({ event: 'end', done: done.length, left, ...(stopped && { stopped: stopped.subject }) }, `${count(done.length)} done; ${remains}`);
  if (stopped) throw stopped.error;
  return code;
}

function stepLine(step: AppliedStep): string {
  return 'id' in step ? `registered ${step.subject} (id ${step.id})` : `level set  ${step.subject}: ${step.level}`;
}
