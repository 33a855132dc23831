import type { Command } from 'commander';
import { type DeployAnswer, canDeploy, readDeclarations, readEnvironments, recordDeployment, workingTree } from 'factline/contracts/check';
import { readLock } from 'factline/contracts/lock';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import { EXIT_CODES, type Output } from '../output.js';
import { type DeclarationOptions, repositoryOf, withDeclarations } from './declarations.js';
import { LABEL } from './report.js';

interface DeployOptions extends CommonOptions, DeclarationOptions {
  env: string;
  commit?: string;
}

/** `factline contracts can-deploy | record-deployment`: what runs where, and whether an app fits in. */
export function deployCommands(contracts: Command): void {
  withDeclarations(contracts.command('can-deploy'))
    .argument('<app>', 'the app that is to be deployed')
    .requiredOption('--env <name>', 'where: deployments/<name>.json says which commit of each app runs there')
    .option('--commit <revision>', 'what is to be deployed (default: the working tree)')
    .description('ask whether an app can run beside what is deployed: what it reads, and who reads it')
    .action((app: string, options: DeployOptions) =>
      exitWith(options, async (output) => {
        const repository = repositoryOf(options);
        const [environment] = await readEnvironments(repository, [options.env]);
        const candidate = await readDeclarations(repository, options.commit);
        if (!candidate.contracts.some((contract) => contract.app === app)) throw unknownApp(app, candidate.name);
        const answer = canDeploy(app, candidate, environment!, await readLock(workingTree(repository.root), options.schemas));
        print(output, answer, candidate.name);
        return answer.deployable ? 0 : EXIT_CODES.findings;
      }),
    );
  contracts
    .command('record-deployment')
    .argument('<app>', 'the app that was deployed')
    .requiredOption('--env <name>', 'where')
    .requiredOption('--commit <id>', 'full commit id of what was deployed')
    .option('--root <folder>', 'root of the repository (default: here)')
    .option('--json', 'print JSON')
    .description('write into deployments/<env>.json which commit of an app runs there; the step that deploys calls it')
    .action((app: string, options: CommonOptions & { env: string; commit: string }) =>
      exitWith(options, async (output) => {
        const file = await recordDeployment(options.root ?? process.cwd(), options.env, app, options.commit);
        output.print({ file, app, environment: options.env, commit: options.commit }, `${file}: ${options.env} runs ${app} at ${options.commit}`);
      }),
    );
}

function print(output: Output, answer: DeployAnswer, candidate: string): void {
  const label = (text: string, colour: 'red' | 'yellow' | 'green') => output.paint(text.padEnd(LABEL), colour, 'bold');
  const lines = answer.obstacles.flatMap(({ side, fact, other, tree, verdict, reasons, place }) => {
    const who = side === 'reads' ? `${answer.app} reads ${fact}${other && ` of ${other}`} as in ${tree}` : `${other} (${tree}) reads ${fact} of ${answer.app}`;
    return [`${label(verdict, verdict === 'BROKEN' ? 'red' : 'yellow')}${who}, at ${place.file}:${place.line}`, ...reasons.map(({ field, message }) => `${' '.repeat(LABEL)}${[field, message].filter(Boolean).join(': ')}`)];
  });
  const verdict = answer.deployable ? label('yes', 'green') : label('no', 'red');
  output.print(answer, lines, `${verdict}${answer.app} of ${candidate} ${answer.deployable ? 'can' : 'cannot'} run in ${answer.environment}; ${answer.judged} pairs judged`);
}

function unknownApp(app: string, where: string): FactlineError {
  return new FactlineError({ code: 'cli.app-unknown', kind: 'not-found', message: `There is no contract of '${app}' in ${where}.`, advice: `Declare it in apps/${app}/contracts.yaml.` });
}
