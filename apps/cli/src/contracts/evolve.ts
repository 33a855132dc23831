import { type Command, Option } from 'commander';
import { type Change, evolve } from 'factline/contracts/evolve';
import { type CommonOptions, exitWith } from '../command.js';
import type { Output } from '../output.js';
import { type DeclarationOptions, withDeclarations } from './declarations.js';
import { LABEL } from './report.js';

interface EvolveOptions extends CommonOptions, DeclarationOptions {
  dryRun?: boolean;
}

/** `factline contracts deprecate | rename | new-major`: changes of schemas that break nobody, written into the files. */
export function evolveCommands(contracts: Command): void {
  command(contracts, 'deprecate', 'announce that a field or a fact will be removed, and say who selects it')
    .argument('<target>', 'a field, hr.EmployeeCreated.email, or a fact')
    .addOption(sunset('the day from which on it may be removed').makeOptionMandatory())
    .option('--use <alternative>', 'what to read instead: another field of the fact, or another fact')
    .option('--doc <text>', 'where to read more, or a sentence')
    .action((target: string, options: EvolveOptions & { sunset: string; use?: string; doc?: string }) =>
      run(options, { kind: 'deprecate', target, sunset: options.sunset, ...(options.use !== undefined && { use: options.use }), ...(options.doc !== undefined && { documentation: options.doc }) }),
    );
  command(contracts, 'rename', 'add a field under a new name beside the old one, which becomes deprecated')
    .argument('<field>', 'hr.EmployeeCreated.email')
    .argument('<name>', 'its new name, without the path')
    .addOption(sunset('the day from which on the old one may be removed').conflicts('alias'))
    .option('--alias', 'rename at once, with an alias for old facts: only where old software reads no new facts (BACKWARD) and no app selects the field')
    .action((target: string, to: string, options: EvolveOptions & { sunset?: string; alias?: boolean }) =>
      run(options, { kind: 'rename', target, to, ...(options.sunset !== undefined && { sunset: options.sunset }), ...(options.alias && { alias: true }) }),
    );
  command(contracts, 'new-major', 'begin a new major version of a fact: another topic, namespace and subject; the old one becomes deprecated')
    .argument('<target>', 'a fact, hr.EmployeeCreated, or a topic with all its facts, hr.employee')
    .addOption(sunset('the day from which on the old one is not stated any more').makeOptionMandatory())
    .action((target: string, options: EvolveOptions & { sunset: string }) => run(options, { kind: 'new-major', target, sunset: options.sunset }));
}

function command(contracts: Command, name: string, description: string): Command {
  return withDeclarations(contracts.command(name).description(description).option('--dry-run', 'write nothing; print the difference as a patch'));
}

function sunset(what: string): Option {
  return new Option('--sunset <date>', `${what}: 2027-02-01`);
}

function run(options: EvolveOptions, change: Change): Promise<void> {
  return exitWith(options, async (output) => {
    const { changes, diff, selectedBy, next, write } = await evolve(options.root ?? process.cwd(), change, options);
    const data = { written: !options.dryRun, files: changes.map(({ file, before }) => ({ file, created: before === undefined })), selectedBy, next };
    const notes = [
      ...selectedBy.map(({ place, message }) => line(output, 'selected', `${place.file}:${place.line}  ${message}`)),
      ...next.map((step, at) => line(output, at === 0 ? 'next' : '', step)),
    ];
    if (options.dryRun) {
      output.print({ ...data, diff }, ...notes.map((note) => `# ${note}`), diff.trimEnd()); // what stands before a patch is no part of it
      return;
    }
    await write();
    output.print(data, ...changes.map(({ file, before }) => line(output, before === undefined ? 'created' : 'changed', file)), ...notes);
  });
}

function line(output: Output, label: string, text: string): string {
  return `${output.paint(label.padEnd(LABEL), 'bold')}${text}`;
}
