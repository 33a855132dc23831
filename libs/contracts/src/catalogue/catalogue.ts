import { readFile, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { type Deployment, deploymentOf, environmentBase, readDeployments } from '../check/deployments.js';
import type { History } from '../lock/history.js';
import { readLock } from '../lock/lock.js';
import { replaceFile } from '../trees/replace-file.js';
import { workingTree } from '../trees/tree.js';
import { readContracts } from '../contract-file.js';
import type { GeneratedFile } from '../generate.js';
import { readSchemas } from '../schemas.js';
import { appPage } from './app-page.js';
import { SCRIPT, STYLE } from './assets.js';
import { asyncApi } from './asyncapi.js';
import { factPage } from './fact-page.js';
import { GENERATOR, Site } from './frame.js';
import type { CatalogueSources, Environment } from './gathering.js';
import { catalogueOf } from './graph.js';
import { indexPage } from './index-page.js';

export interface CatalogueOptions {
  /** Where it is written, below the root. Default `docs/catalogue`. */
  out?: string;
  /** Write nothing, and refuse what differs. Default false. */
  check?: boolean;
  /** Folder of the schemas below the root. Default `schemas`. */
  schemas?: string;
  /** Folder of the apps below the root. Default `apps`. */
  apps?: string;
  /** Environments to show, each a file in deployments/. Default none: then a deployment changes no file of the catalogue. */
  environments?: readonly string[];
}

/**
 * Writes the catalogue of facts and apps: static pages that need no server and no script, catalogue.json with everything they say, and an AsyncAPI 3.0 document for
 * each app. Versions are those of schemas/registry.lock.json, if it is there. The same input gives the same bytes. Files of an earlier run that are not needed any more
 * are removed; files of others in that folder stay.
 * @throws FactlineError (configuration) as `loadSchemas` and `readContracts` do, with the file of a schema that Avro for Java refuses, `catalogue.nothing-declared`, `lock.invalid`, `lock.tampered`,
 * `deployment.invalid`, `deployment.unknown-environment`; with `check` `catalogue.drift`, naming the files; (unavailable) `git.unknown-ref`, `git.incomplete` and others
 * for a deployed commit that is not in this clone.
 */
export async function generateCatalogue(root: string, options: CatalogueOptions = {}): Promise<GeneratedFile[]> {
  const { out = 'docs/catalogue', check = false, schemas = 'schemas', apps = 'apps', environments = [] } = options;
  const tree = workingTree(root);
  const declared = await readSchemas(tree, schemas);
  const contracts = await readContracts(tree, apps, declared);
  if (declared.facts.size + contracts.length === 0) throw nothingDeclared(root, schemas, apps);
  const deployments = environments.length > 0 ? await readDeployments(tree) : [];
  const shown = await Promise.all([...new Set(environments)].map((name) => environmentOf(root, deploymentOf(deployments, name), { schemas, apps })));
  const texts = catalogueTexts({ schemas: declared, contracts, environments: shown }, await readLock(tree, schemas));
  const results = [...(await settled(resolve(root, out), texts, check))].map(({ file, changed }) => ({ file: join(out, file), changed }));
  const drifted = results.filter(({ changed }) => changed).map(({ file }) => file);
  if (check && drifted.length > 0) throw drift(drifted, options);
  return results;
}

async function environmentOf(root: string, deployment: Deployment, folders: { schemas: string; apps: string }): Promise<Environment> {
  return { ...(await environmentBase(root, deployment, folders)), commits: deployment.commits };
}

/** Every file by its path below the folder of the catalogue. */
export function catalogueTexts(sources: CatalogueSources, history?: History): ReadonlyMap<string, string> {
  const catalogue = catalogueOf(sources, history);
  const site = new Site(catalogue);
  return new Map([
    ['catalogue.json', jsonText(catalogue)],
    ['catalogue.css', STYLE],
    ['catalogue.js', SCRIPT],
    ['index.html', indexPage(site)],
    ...catalogue.facts.map((fact) => [`facts/${fact.name}.html`, factPage(fact, site)] as const),
    ...catalogue.apps.map((app) => [`apps/${app.name}.html`, appPage(app, site)] as const),
    ...sources.contracts.map((contract) => [`apps/${contract.app}.asyncapi.json`, jsonText(asyncApi(contract))] as const),
  ]);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Makes the folder hold these files, or only says what is not so. */
async function settled(folder: string, texts: ReadonlyMap<string, string>, check: boolean): Promise<GeneratedFile[]> {
  const results: GeneratedFile[] = [];
  for (const [file, text] of texts) {
    const path = join(folder, file);
    const changed = (await unlessMissing(readFile(path, 'utf8'))) !== text;
    if (changed && !check) await replaceFile(path, text);
    results.push({ file, changed });
  }
  for (const file of await outdated(folder, texts)) {
    if (!check) await rm(join(folder, file));
    results.push({ file, changed: true });
  }
  return results;
}

/** By these lines pages and documents say that they were written here. */
const MARKS = [`<meta name="generator" content="${GENERATOR}">`, `"x-generator": "${GENERATOR}"`];

async function outdated(folder: string, texts: ReadonlyMap<string, string>): Promise<string[]> {
  const found: string[] = [];
  for (const part of ['apps', 'facts']) {
    for (const name of ((await unlessMissing(readdir(join(folder, part)))) ?? []).toSorted()) {
      const file = `${part}/${name}`;
      if (texts.has(file) || !/\.html$|\.asyncapi\.json$/.test(name)) continue;
      const text = await readFile(join(folder, file), 'utf8');
      if (MARKS.some((mark) => text.includes(mark))) found.push(file);
    }
  }
  return found;
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Nothing at all is more likely a wrong folder than a repository without facts and apps. */
function nothingDeclared(root: string, schemas: string, apps: string): FactlineError {
  return new FactlineError({
    code: 'catalogue.nothing-declared',
    kind: 'configuration',
    message: `There is nothing to show: no fact in ${schemas}/ and no contracts.yaml in ${apps}/ of ${root}.`,
    advice: 'Run this in the root of the repository, or pass --root <folder>, --schemas <folder> and --apps <folder>.',
  });
}

/** Files that a message names; `details.files` has them all. */
const NAMED = 20;

function drift(files: readonly string[], { out, environments = [] }: CatalogueOptions): FactlineError {
  const named = files.length > NAMED ? `${files.slice(0, NAMED).join(', ')} and ${files.length - NAMED} more` : files.join(', ');
  const flags = [...(out === undefined ? [] : ['--out', out]), ...environments.flatMap((name) => ['--env', name])];
  return new FactlineError({
    code: 'catalogue.drift',
    kind: 'configuration',
    message: `The catalogue differs from the declarations: ${named}.`,
    advice: `Run \`${['factline contracts catalogue', ...flags].join(' ')}\` and commit the result.`,
    details: { files },
  });
}
