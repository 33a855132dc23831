import type { Command } from 'commander';
import { type Landscape, type Use, readDeclarations, readEnvironments, usesOf } from 'factline/contracts/check';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import type { Output } from '../output.js';
import { type DeclarationOptions, repositoryOf, withDeclarations } from './declarations.js';

/** `factline contracts why`: who uses a field, for what, and where that runs. */
export function whyCommand(contracts: Command): void {
  withDeclarations(contracts.command('why'))
    .argument('<names...>', '[app] and a fact or one of its fields: payroll hr.EmployeeCreated.salaryCents')
    .description('say who selects a field, for what purpose, here and in each environment of deployments/')
    .action((names: string[], options: CommonOptions & DeclarationOptions) =>
      exitWith(options, async (output) => {
        const { app, field: name } = asked(names);
        const repository = repositoryOf(options);
        const here = await readDeclarations(repository);
        const { fact, field } = split(name, here);
        const environments = await readEnvironments(repository);
        const uses = usesOf(fact, field, [here, ...environments.flatMap(({ landscapes }) => landscapes)]);
        print(output, name, app, app === undefined ? uses : uses.filter((use) => use.app === app));
      }),
    );
}

function asked(names: readonly string[]): { app: string | undefined; field: string } {
  if (names.length <= 2) return { app: names.length === 2 ? names[0] : undefined, field: names.at(-1)! };
  throw new FactlineError({ code: 'cli.too-many-names', kind: 'invalid', message: `One field at a time, not ${names.join(' ')}.`, advice: 'factline contracts why [app] <fact>.<field>' });
}

/** `hr.EmployeeCreated.address.zip`: names of facts have dots as well, so the longest one that is declared counts. */
function split(name: string, { schemas, contracts }: Landscape): { fact: string; field: string } {
  const known = new Set([...schemas.facts.keys(), ...contracts.flatMap(({ consumes }) => consumes.map(({ fact }) => fact))]);
  const steps = name.split('.');
  for (let length = steps.length; length > 0; length--) {
    const fact = steps.slice(0, length).join('.');
    if (known.has(fact)) return { fact, field: steps.slice(length).join('.') };
  }
  throw new FactlineError({ code: 'cli.fact-unknown', kind: 'not-found', message: `'${name}' names no fact that is declared or consumed here.`, advice: `There are: ${[...known].toSorted().slice(0, 10).join(', ')}${known.size > 10 ? ' ...' : ''}.` });
}

function print(output: Output, name: string, app: string | undefined, uses: readonly Use[]): void {
  const lines = [...new Set(uses.map((use) => use.app))].flatMap((each) => {
    const of = uses.filter((use) => use.app === each);
    return [
      `${output.paint(each, 'bold')}  (${of[0]!.owner})  ${[...new Set(of.map(({ purpose }) => purpose))].join(' ')}`,
      ...of.map(({ selects, tree, place }) => `  selects ${selects}  ${place.file}:${place.line}  ${output.paint(tree, 'dim')}`),
    ];
  });
  output.print({ field: name, uses }, lines.length > 0 ? lines : [app === undefined ? `Nobody selects ${name}, here or in any environment.` : `${app} does not select ${name}, here or in any environment.`]);
}
