import type { Command } from 'commander';
import { type StackStatus, stackStatus, startStack, stopStack } from 'factline/stack';
import { type CommonOptions, exitWith } from './command.js';
import { EXIT_CODES, type Output } from './output.js';

interface StackCommandOptions extends CommonOptions {
  name?: string;
  brokers?: string;
}

/** `factline stack ...`: real Kafka, schema registry and Postgres on this machine, for development. */
export function stackCommand(program: Command): void {
  const stack = program.command('stack').description('Kafka, schema registry and Postgres on this machine, for development and tests');
  const verb = (name: string, description: string, run: (output: Output, options: StackCommandOptions) => Promise<number | void>) =>
    stack
      .command(name)
      .description(description)
      .option('--name <name>', 'which stack, when there are several', 'default')
      .option('--json', 'print JSON')
      .action((options: StackCommandOptions) => exitWith(options, (output) => run(output, options)));
  verb('up', 'start one that stays until `stack down`', up).option('--brokers <1|3>', 'number of brokers', '1');
  verb('down', 'stop it and delete its data', down);
  verb('status', 'show what runs, and whether it answers', status);
}

async function up(output: Output, { name = 'default', brokers }: StackCommandOptions): Promise<void> {
  const stack = await startStack({ name, detached: true, reuse: true, brokers: brokers === '3' ? 3 : 1, progress: process.stderr });
  const { kafka, registryUrl, postgresUrl, source } = stack;
  output.print(
    { kafka, registryUrl, postgresUrl, source },
    `export FACTLINE_KAFKA='${kafka.join(',')}'`,
    `export FACTLINE_REGISTRY_URL='${registryUrl}'`,
    `export FACTLINE_POSTGRES_URL='${postgresUrl}'`,
  );
}

async function down(output: Output, { name = 'default' }: StackCommandOptions): Promise<void> {
  const stopped = await stopStack({ name });
  output.print({ name, stopped }, stopped ? `the stack '${name}' is stopped and its data deleted` : `no stack '${name}' was running`);
}

async function status(output: Output): Promise<number> {
  const stacks = await stackStatus();
  output.print({ stacks }, ...(stacks.length > 0 ? stacks.flatMap((stack) => stackLines(output, stack)) : ['no stack runs; start one: factline stack up']));
  return stacks.every(({ parts }) => parts.every(({ problem }) => problem === undefined)) ? 0 : EXIT_CODES.unavailable;
}

function stackLines(output: Output, { id, detached, startedAt, parts }: StackStatus): string[] {
  return [
    `${output.paint(id, 'bold')}  ${detached ? 'stays' : 'belongs to a process'}, since ${startedAt}`,
    ...parts.map(({ name, address, pid, problem }) => `  ${name.padEnd(10)} ${address.padEnd(40)} ${problem ? output.paint(problem, 'red') : output.paint('answers', 'green')}${pid ? `  pid ${pid}` : ''}`),
  ];
}
