import { join } from 'node:path';
import { FactlineError, grouped, messageOf } from 'factline/kernel';
import { declarationError, suggestion } from '../declaration-error.js';
import { sorted } from '../sorted.js';
import { commitTree, shortId } from '../trees/git.js';
import { type Base, type Landscape, readLandscape, restrictedTo } from './landscape.js';
import { replaceFile } from '../trees/replace-file.js';
import { type FileTree, workingTree } from '../trees/tree.js';

/** Folder of the files that say what is deployed where, below the root. */
const DEPLOYMENTS_FOLDER = 'deployments';

/** Which commit of each app an environment runs: `deployments/prod.json`, an object of full or short commit ids by app, written by the step that deploys. */
export interface Deployment {
  readonly environment: string;
  readonly file: string;
  readonly commits: ReadonlyMap<string, string>;
}

/** What a tree says is deployed, by environment. @throws FactlineError (configuration) `declaration.unreadable`, `deployment.invalid`. */
export async function readDeployments(tree: FileTree): Promise<Deployment[]> {
  const files = (await tree.list(DEPLOYMENTS_FOLDER)).filter((file) => /^[^/]+\/[^/]+\.json$/.test(file));
  return Promise.all(files.map(async (file) => parse(await tree.read(file), file)));
}

/** One of them. @throws FactlineError as `readDeployments` does, and `deployment.unknown-environment`. */
export function deploymentOf(deployments: readonly Deployment[], environment: string): Deployment {
  const found = deployments.find((deployment) => deployment.environment === environment);
  if (found) return found;
  const known = deployments.map((deployment) => deployment.environment);
  const fallback = known.length > 0 ? `There are: ${known.join(', ')}.` : `Let the step that deploys write it: {"<app>": "<commit>"}.`;
  throw declarationError('deployment.unknown-environment', { file: `${DEPLOYMENTS_FOLDER}/${environment}.json` }, `nothing says what '${environment}' runs.`, suggestion(environment, known, fallback));
}

/**
 * What an environment runs, as a base: each app as it is at the commit that is deployed, each commit read once.
 * @throws FactlineError as `commitTree` and `readLandscape` do: a commit that is not in this clone is `git.unknown-ref` or `git.incomplete`.
 */
export async function environmentBase(root: string, { environment, commits }: Deployment, folders: { schemas: string; apps: string }): Promise<Base> {
  const landscapes: Landscape[] = [];
  for (const [commit, apps] of grouped(commits.keys(), (app) => commits.get(app)!)) {
    const tree = await commitTree(root, commit, environment);
    try {
      landscapes.push(restrictedTo(await readLandscape(tree, folders), `${environment} ${shortId(tree.commit)}`, new Set(apps)));
    } finally {
      await tree.close();
    }
  }
  return { name: environment, landscapes };
}

/**
 * Writes into deployments/<environment>.json which commit of an app runs there; answers the file. A crash leaves the old file or the new one. Two at once: the later one counts.
 * @param commit full id. @throws FactlineError (invalid) `deployment.commit-invalid`, `deployment.environment-invalid`; as `readDeployments` does.
 */
export async function recordDeployment(root: string, environment: string, app: string, commit: string): Promise<string> {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) throw new FactlineError({ code: 'deployment.commit-invalid', kind: 'invalid', message: `'${commit}' is not a full commit id.`, advice: 'Give "$(git rev-parse HEAD)".' });
  if (!/^\w[\w.-]*$/.test(environment)) throw new FactlineError({ code: 'deployment.environment-invalid', kind: 'invalid', message: `'${environment}' cannot be a file name.`, advice: 'Use letters, digits, dot, dash and underscore.' });
  const known = (await readDeployments(workingTree(root))).find((deployment) => deployment.environment === environment);
  const file = `${DEPLOYMENTS_FOLDER}/${environment}.json`;
  const commits = Object.fromEntries(sorted(new Map(known?.commits).set(app, commit), ([name]) => name));
  await replaceFile(join(root, file), `${JSON.stringify(commits, null, 2)}\n`);
  return file;
}

function parse(text: string, file: string): Deployment {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, `it is not JSON: ${messageOf(error)}`, 'Correct the syntax.', {}, error);
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw invalid(file, '$', 'it must be an object of commits by app');
  for (const [app, commit] of Object.entries(found)) {
    if (typeof commit !== 'string' || !/^[0-9a-f]{7,64}$/.test(commit)) throw invalid(file, `$.${app}`, `${JSON.stringify(commit)} is not a commit id`);
  }
  return { environment: file.slice(DEPLOYMENTS_FOLDER.length + 1, -'.json'.length), file, commits: new Map(Object.entries(found as Record<string, string>)) };
}

function invalid(file: string, path: string, what: string): Error {
  return declarationError('deployment.invalid', { file, path }, `${what}.`, 'Write {"<app>": "<commit id of 7 or more hexadecimal digits>"}.');
}
