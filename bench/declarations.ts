import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generate } from 'factline/contracts/evolve';
import { type RuleId, acceptFinding, readDeclarations, sourcesOf, workingTree } from 'factline/contracts/check';
import { formatLock } from 'factline/contracts/lock';
import { CHANGES, type Change, FACTS, VERSIONS, added, factNameOf, fileOf, inventedFact } from './invented-facts.js';
import { APPS, UNREAD, appsSelecting, codeFiles, contractText } from './invented-apps.js';

const FOLDERS = { schemas: 'schemas', apps: 'apps' };
/** Of these facts the version that is deployed in part of production is one older. */
const isReleasedLate = (fact: number) => fact % 10 === 3;
const TYPES = {
  'schemas/shared/Address.avsc': {
    type: 'record',
    name: 'Address',
    namespace: 'shared',
    doc: 'A postal address.',
    fields: ['street', 'city', 'zip'].map((name) => ({ name, doc: `The ${name}.`, type: 'string' })),
  },
};

/** What the change is compared with. */
export const AGAINST = ['git:merge-base(main)', 'lock', 'env:prod', 'env:stage'];
const ACCEPTED_DAYS = 30;

/** What a check of the repository has to say. */
export interface Expected {
  readonly rule: string;
  readonly fact: string;
  readonly field: string;
  /** Those that are not SAFE. */
  readonly apps: readonly string[];
  readonly accepted: boolean;
}

/**
 * Writes a repository of 300 fact types in 10 versions and 30 apps that read a third of them, with the code that reads: generated contracts, the lock, production with
 * two releases side by side, a staging environment, and on a branch a change of a few facts. Needs git. @returns what the change breaks.
 */
export async function inventRepository(root: string): Promise<readonly Expected[]> {
  const put = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  const facts = Array.from({ length: FACTS }, (_, fact) => fact);
  git(root, 'init', '--quiet', '--initial-branch=main');
  put('.gitignore', 'node_modules\n');
  put('node_modules/.keep', '');
  for (const [file, type] of Object.entries(TYPES)) put(file, pretty(type));
  for (const fact of facts) {
    put(`${dirname(fileOf(fact))}/topic.yaml`, `name: ${dirname(fileOf(fact)).split('/').slice(1).join('.')}\nowner: app${fact % APPS}\nkeyField: entityId\npartitions: 6\nkind: facts\n`);
    put(fileOf(fact), pretty(inventedFact(fact, isReleasedLate(fact) ? VERSIONS - 1 : VERSIONS)));
  }
  for (let app = 0; app < APPS; app++) {
    put(`apps/app${app}/contracts.yaml`, contractText(app));
    for (const [file, text] of codeFiles(app)) put(file, text);
  }
  await generate(root);
  const older = commit(root, 'release 1');
  for (const fact of facts.filter(isReleasedLate)) put(fileOf(fact), pretty(inventedFact(fact, VERSIONS)));
  await generate(root);
  const newer = commit(root, 'release 2');
  const deployed = (commitOf: (app: number) => string) => pretty(Object.fromEntries(Array.from({ length: APPS }, (_, app) => [`app${app}`, commitOf(app)])));
  put('deployments/prod.json', deployed((app) => (app % 2 === 0 ? older : newer)));
  put('deployments/stage.json', deployed(() => newer));
  put('schemas/registry.lock.json', await lockText(root));
  commit(root, 'what is registered and deployed');
  git(root, 'switch', '--quiet', '--create', 'change');
  for (const [fact, { to }] of CHANGES) put(fileOf(fact), pretty(to(inventedFact(fact, VERSIONS))));
  commit(root, 'a change');
  for (const [fact, { rule, field, isAccepted }] of CHANGES) if (isAccepted) await accept(root, rule!, factNameOf(fact), field);
  const { fact, field } = UNREAD;
  return [...[...CHANGES].flatMap(([each, change]) => expectedOf(each, change)), { rule: 'select-never-read', fact: factNameOf(fact), field, apps: [], accepted: false }];
}

function expectedOf(fact: number, { rule, field, isAccepted = false }: Change): Expected[] {
  return rule === undefined ? [] : [{ rule, fact: factNameOf(fact), field, apps: appsSelecting(fact, field), accepted: isAccepted }];
}

async function accept(root: string, rule: RuleId, fact: string, field: string): Promise<void> {
  const [today, until] = [0, ACCEPTED_DAYS].map((days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 'YYYY-MM-DD'.length)) as [string, string];
  const repository = { root, ...FOLDERS };
  const { read } = await sourcesOf(AGAINST, repository, () => Promise.reject(new Error('no registry is compared with')));
  const request = { rule, fact, field, reason: 'Agreed.', approvedBy: 'bench', until, today, schemas: FOLDERS.schemas };
  const { file, text } = await acceptFinding(workingTree(root), await readDeclarations(repository), await read(), request);
  writeFileSync(join(root, file), text);
}

/** Every version as it would be registered: self-contained. */
async function lockText(root: string): Promise<string> {
  const { schemas } = await readDeclarations({ root, ...FOLDERS });
  const subjects = [...schemas.facts].map(([factName, { schema }], at) => {
    const versions = Array.from({ length: VERSIONS }, (_, before) => {
      const version = before + 1;
      const fields = schema.fields!.filter(({ name }) => !Array.from({ length: VERSIONS - version }, (_none, later) => added(version + 1 + later)).includes(name));
      return { version, id: at * VERSIONS + version, schema: { ...schema, fields } };
    });
    return [factName, { versions }] as const;
  });
  return formatLock({ name: 'lock', subjects: new Map(subjects) });
}

function pretty(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function commit(root: string, message: string): string {
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', `--message=${message}`);
  return git(root, 'rev-parse', 'HEAD');
}

function git(root: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', '-c', 'gc.auto=0', ...args], { cwd: root, encoding: 'utf8' }).trim();
}
