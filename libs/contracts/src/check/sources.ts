import { FactlineError } from 'factline/kernel';
import type { SchemaRegistry } from '../registry.js';
import { readAcceptances } from './acceptances.js';
import { type CheckResult, checkContracts } from './check.js';
import { deploymentOf, environmentBase, readDeployments } from './deployments.js';
import { commitTree, mergeBase, resolveCommit } from '../trees/git.js';
import { type Base, type Landscape, readLandscape } from './landscape.js';
import { usageFindings } from './usage.js';
import { readLock } from '../lock/lock.js';
import { registryHistory } from '../lock/registry-history.js';
import { workingTree } from '../trees/tree.js';

/** What is compared with when nothing is named, besides the lock. */
export const DEFAULT_BASE = 'git:merge-base(origin/main)';
/** What can be named. */
export const BASES = `${DEFAULT_BASE}, git:<revision>, lock, registry:<url>, env:<name>`;

/** A repository of declarations. */
export interface Repository {
  readonly root: string;
  /** Folders below the root. */
  readonly schemas: string;
  readonly apps: string;
}

/** What is declared on disk now, or at a commit. @throws FactlineError `declaration.none`: nothing at all is more likely a wrong folder than a repository that gave up all its facts. */
export async function readDeclarations(repository: Repository, revision?: string): Promise<Landscape> {
  if (revision !== undefined) return readCommit(repository, revision);
  await assertDeclared(repository);
  return readLandscape(workingTree(repository.root), repository);
}

async function assertDeclared({ root, schemas }: Repository): Promise<void> {
  if ((await workingTree(root).list(schemas)).length > 0) return;
  throw new FactlineError({
    code: 'declaration.none',
    kind: 'configuration',
    message: `There is nothing in ${schemas}/ of ${root}.`,
    advice: 'Run this in the root of the repository, or give the root and the folder of the schemas. To begin: factline contracts init writes an example.',
  });
}

/** What environments run, from deployments/: those that are named, or all. @throws FactlineError as `readDeployments` and `environmentBase` do, and `deployment.unknown-environment`. */
export async function readEnvironments(repository: Repository, names?: readonly string[]): Promise<Base[]> {
  const deployments = await readDeployments(workingTree(repository.root));
  const bases: Base[] = [];
  for (const deployment of names?.map((name) => deploymentOf(deployments, name)) ?? deployments) bases.push(await environmentBase(repository.root, deployment, repository));
  return bases;
}

/** Everything there is to say about a repository as it is on disk: `checkContracts`, with what it accepts and what its code reads, where a parser is installed. @param today as YYYY-MM-DD. */
export async function checkRepository(repository: Repository, bases: readonly Base[], today: string): Promise<CheckResult> {
  const tree = workingTree(repository.root);
  const now = await readDeclarations(repository);
  return checkContracts(now, bases, { today, acceptances: await readAcceptances(tree, repository.schemas), usage: (await usageFindings(now, tree)) ?? [] });
}

/** Makes the client of a registry: its credentials are the caller's affair. */
export type RegistryAt = (url: string) => Promise<SchemaRegistry>;

/** What a base is read from. */
interface Source {
  /** Equal for equal content, when that can be told without reading it: the commits. What lies in the schemas' folder is told by that. */
  readonly id?: string;
  read(): Promise<Base>;
}

/** The bases of a check before they are read, and why there are fewer than usual. */
export interface Sources {
  readonly ids: readonly (string | undefined)[];
  readonly reduced?: FactlineError;
  /** @throws what reading them throws, saying in which one. */
  read(): Promise<Base[]>;
}

/**
 * Those that are named; otherwise the merge base with the main branch, and the lock when there is one. Where that merge base cannot be had (a shallow clone, a branch that
 * is gone, no git at all) the lock alone does, and `reduced` says so: who stopped selecting what, and what was never registered, is not seen then.
 * @param against names, as in `BASES`.
 * @throws FactlineError `check.base-unknown`, `lock.none`, and what git says; when nothing is declared either, `declaration.none`.
 */
export async function sourcesOf(against: readonly string[] | undefined, repository: Repository, registryAt: RegistryAt): Promise<Sources> {
  if (against) return together(await Promise.all([...new Set(against)].map((base) => sourceOf(base, repository, registryAt))));
  const lock = await lockOf(repository);
  try {
    return together([await sourceOf(DEFAULT_BASE, repository, registryAt), ...(lock ? [lock] : [])]);
  } catch (error) {
    if (!(error instanceof FactlineError) || error.kind !== 'unavailable') throw error;
    if (lock) return { ...together([lock]), reduced: error };
    await assertDeclared(repository); // in a wrong folder the advice on git leads nowhere
    throw nothingNamed(error);
  }
}

/** A repository that is new or has no such remote is told how to name what it has; where a fetch helps, that alone is told: in a pipeline the last commit is the change itself. */
function nothingNamed(error: FactlineError): FactlineError {
  const { code, message, advice, details } = error;
  if (details['command'] !== undefined) return error;
  const other = 'What is not committed yet can be compared with the last commit, --against git:HEAD, and a branch with another: --against git:<branch>.';
  return new FactlineError({ code, kind: 'unavailable', retry: false, message, advice: [advice, other].filter(Boolean).join('\n'), details, cause: error });
}

function together(sources: readonly Source[]): Sources {
  return { ids: sources.map(({ id }) => id), read: () => Promise.all(sources.map((source) => source.read())) };
}

async function sourceOf(against: string, repository: Repository, registryAt: RegistryAt): Promise<Source> {
  const { root } = repository;
  const [, kind, rest = ''] = /^(git|env|registry):(.+)$/.exec(against) ?? [against, against];
  switch (kind) {
    case 'git':
      return gitSource(root, rest, repository);
    case 'env': {
      const deployment = deploymentOf(await readDeployments(workingTree(root)), rest);
      return { id: JSON.stringify([rest, ...deployment.commits]), read: () => told(rest, () => environmentBase(root, deployment, repository)) };
    }
    case 'registry':
      return { read: async () => registryBase(await registryAt(rest), (await readDeclarations(repository)).schemas.facts.keys()) };
    case 'lock': {
      const lock = await lockOf(repository);
      if (lock) return lock;
      throw new FactlineError({ code: 'lock.none', kind: 'configuration', message: `There is no ${repository.schemas}/registry.lock.json.`, advice: 'factline contracts pull --registry <url> writes it: every version that was registered.' });
    }
    default:
      throw new FactlineError({ code: 'check.base-unknown', kind: 'invalid', message: `'${withoutCredentials(against)}' is nothing to compare with.`, advice: `Write one of ${BASES}.` });
  }
}

/** Of a registry what is declared here, and what is named alike: other subjects are other people's. What it has in no form that can be compared is told in the name. */
async function registryBase(registry: SchemaRegistry, subjects: Iterable<string>): Promise<Base> {
  const without: string[] = [];
  const history = await registryHistory(registry, { subjects, neighbours: true, leftOut: (subject, why) => without.push(`${subject}, which ${why}`) });
  return { name: without.length === 0 ? history.name : `${history.name} (without ${without.join('; ')})`, landscapes: [], history };
}

async function lockOf(repository: Repository): Promise<Source | undefined> {
  const history = await readLock(workingTree(repository.root), repository.schemas);
  return history && { id: history.name, read: async () => ({ name: history.name, landscapes: [], history }) };
}

async function gitSource(root: string, what: string, repository: Repository): Promise<Source> {
  const [, ref] = /^merge-base\((.+)\)$/.exec(what) ?? [];
  const commit = ref ? await mergeBase(root, ref) : await resolveCommit(root, what);
  const read = async () => {
    const tree = await commitTree(root, commit, ref ? `merge base with ${ref}` : commit.startsWith(what) ? '' : what);
    try {
      return { name: tree.name, landscapes: [await told(tree.name, () => readLandscape(tree, repository))] };
    } finally {
      await tree.close();
    }
  };
  return { id: `${commit} ${what}`, read };
}

async function readCommit(repository: Repository, revision: string): Promise<Landscape> {
  const tree = await commitTree(repository.root, revision);
  try {
    return await readLandscape(tree, repository);
  } finally {
    await tree.close();
  }
}

async function told<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FactlineError) || error.kind !== 'configuration') throw error;
    throw new FactlineError({ code: error.code, kind: error.kind, message: `In ${name}: ${error.message}`, advice: 'What it is compared with cannot be read; compare with another commit.', details: error.details, cause: error });
  }
}

/** A registry's address that was given without \`registry:\`. */
function withoutCredentials(address: string): string {
  return address.replace(/\/\/.*@/, '//');
}
