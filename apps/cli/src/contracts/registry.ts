import { join } from 'node:path';
import type { Command } from 'commander';
import type { SchemaRegistry, loadSchemas } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { type CommonOptions, exitWith } from '../command.js';
import type { Output } from '../output.js';

export interface RegistryCommandOptions extends CommonOptions {
  registry?: string;
  schemas: string;
  owner?: string;
}

type Facts = Awaited<ReturnType<typeof loadSchemas>>['facts'];

/** What a command of the registry works on. */
export interface RegistryTask<Options extends RegistryCommandOptions> {
  readonly output: Output;
  readonly options: Options;
  readonly root: string;
  readonly registry: SchemaRegistry;
  /** Declared facts: all, or those of one owner's topics. */
  readonly facts: readonly (Facts extends ReadonlyMap<string, infer Fact> ? Fact : never)[];
}

/** Adds what every command of the registry has: its options, the registry, and the facts it is about. */
export function registryCommand<Options extends RegistryCommandOptions>(command: Command, description: string, run: (task: RegistryTask<Options>) => Promise<number | void>): void {
  command
    .description(description)
    .option('--registry <url>', 'base address of the Confluent API (default: FACTLINE_REGISTRY_URL); credentials: FACTLINE_REGISTRY_USER, FACTLINE_REGISTRY_PASSWORD')
    .option('--owner <app>', 'only facts on topics of this owner (default: all)')
    .option('--schemas <folder>', 'folder of the schemas below the root', 'schemas')
    .option('--root <folder>', 'folder with schemas/ (default: here)')
    .option('--json', 'print JSON lines')
    .action((options: Options) =>
      exitWith(options, async (output) => {
        const root = options.root ?? process.cwd();
        const { loadSchemas } = await import('factline/contracts');
        const { facts } = await loadSchemas(join(root, options.schemas));
        return run({ output, options, root, facts: ownedBy(facts, options.owner), registry: await registryAt(options.registry, root) });
      }),
    );
}

/** The registry of an address, or of FACTLINE_REGISTRY_URL, with the credentials of the environment. @throws FactlineError `cli.configuration`, `registry.url-invalid`. */
export async function registryAt(url: string | undefined, root: string): Promise<SchemaRegistry> {
  const { developmentEnvironment } = await import('../config.js'); // it knows projections too, with all their packages
  const { FACTLINE_REGISTRY_URL: known, FACTLINE_REGISTRY_USER: username = '', FACTLINE_REGISTRY_PASSWORD: password = '' } = { ...(await developmentEnvironment(root)), ...process.env };
  const address = url ?? known ?? '';
  if (address === '') throw wrong('cli.configuration', 'configuration', 'Which registry is not said.', 'Pass --registry <url>, or set FACTLINE_REGISTRY_URL.');
  if ((username === '') !== (password === '')) throw wrong('cli.configuration', 'configuration', 'Of FACTLINE_REGISTRY_USER and FACTLINE_REGISTRY_PASSWORD one is not set.', 'Set both, or none.');
  const { SchemaRegistry } = await import('factline/contracts'); // what checks without a registry never load
  return new SchemaRegistry({ url: address, ...(username !== '' && { auth: { username, password } }) });
}

function ownedBy(facts: Facts, owner: string | undefined): RegistryTask<RegistryCommandOptions>['facts'] {
  const all = [...facts.values()];
  const owned = all.filter(({ topic }) => owner === undefined || topic.owner === owner);
  if (owned.length > 0 || owner === undefined) return owned;
  const owners = [...new Set(all.map(({ topic }) => topic.owner))].toSorted();
  throw wrong('cli.owner-unknown', 'not-found', `No topic has the owner '${owner}'.`, owners.length > 0 ? `Known are: ${owners.join(', ')}.` : 'Nothing is declared here; pass --root <folder> and --schemas <folder>.');
}

function wrong(code: string, kind: 'configuration' | 'not-found', message: string, advice: string): FactlineError {
  return new FactlineError({ code, kind, message, advice });
}
