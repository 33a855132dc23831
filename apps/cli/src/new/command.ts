import type { Command } from 'commander';
import { type CommonOptions, exitWith } from '../command.js';
import type { Output } from '../output.js';
import { type NewApp, newApp } from './app.js';
import { type NewFact, newFact } from './fact.js';
import { Ground } from './ground.js';
import { type NewProjection, newProjection } from './projection.js';

interface Options extends CommonOptions {
  dryRun?: boolean;
}

/** `factline new ...`: what the recipes say, written into a repository that has its own apps. */
export function newCommand(program: Command): void {
  const group = program.command('new').description('begin an app, a fact or a projection: files that compile, hold and have a spec; none is written over');
  verb(group, 'app', 'an app without facts: contract, settings, module, start, spec, and its entry in factline.config.json')
    .argument('<name>', 'gift-cards')
    .requiredOption('--owner <team>', 'who answers for it')
    .option('--port <n>', 'where it listens (default: the next after those of the other apps)')
    .action((name: string, options: Options & NewApp) => run(options, (ground) => newApp(ground, name, options)));
  verb(group, 'fact', 'a fact: schema, topic where the entity is new, entry in the contract of its owner, types')
    .argument('<name>', 'context and past tense: hr.EmployeePromoted')
    .requiredOption('--key <field>', 'the field that is the key of the topic: employeeId')
    .option('--entity <name>', 'what the topic is about (default: from the key: employee)')
    .option('--field <name:type>', 'a field, ? behind the type when it may be null, and what it means: level:int, note:string?, "paidOn:date:The day of the payment." (repeat it)', (each: string, all: string[]) => [...all, each], [] as string[])
    .option('--doc <text>', 'what happened, in a sentence (default: from its name)')
    .option('--app <name>', 'the app that owns it (default: that of the topic, or the one called as the context)')
    .action((name: string, options: Options & NewFact) => run(options, (ground) => newFact(ground, name, options)));
  verb(group, 'projection', 'a projection of facts of one topic: entries in the contract, fold, spec, route, and where they are registered')
    .argument('<name>', 'also its Postgres schema and table: paid_orders')
    .requiredOption('--app <name>', 'the app that keeps it')
    .requiredOption('--of <facts>', 'the facts it is folded from, separated by commas; the first makes the row: hr.EmployeeCreated,hr.EmployeeMoved')
    .requiredOption('--select <fields>', 'the fields it uses, separated by commas, of whichever fact has them; the key is among them anyway')
    .requiredOption('--purpose <text>', 'why the app keeps them')
    .option('--grant <tags>', 'tags of personal data that it may read for this purpose, separated by commas: PII')
    .option('--no-controller', 'without a route that reads it')
    .action((name: string, options: Options & NewProjection) => run(options, (ground) => newProjection(ground, name, options)));
}

function verb(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .option('--dry-run', 'write nothing; print the files as a patch')
    .option('--root <folder>', 'folder with apps/ and schemas/ (default: here)')
    .option('--json', 'print JSON');
}

function run(options: Options, plan: (ground: Ground) => Promise<string[]>): Promise<void> {
  return exitWith(options, async (output) => {
    const ground = await Ground.open(options.root ?? process.cwd());
    const next = await plan(ground);
    await ground.complete();
    const { workspace } = ground;
    const files = workspace.changes.map(({ file, before }) => ({ file, created: before === undefined }));
    const steps = next.map((step, at) => line(output, at === 0 ? 'next' : '', step));
    if (options.dryRun) {
      const diff = workspace.diff();
      output.print({ written: false, files, next, diff }, ...steps.map((step) => `# ${step}`), diff.trimEnd()); // what stands before a patch is no part of it
      return;
    }
    await workspace.write();
    output.print({ written: true, files, next }, ...files.map(({ file, created }) => line(output, created ? 'created' : 'changed', file)), ...steps);
  });
}

function line(output: Output, label: string, text: string): string {
  return `${output.paint(label.padEnd(LABEL), 'bold')}${text}`;
}

const LABEL = 'created'.length + 2;
