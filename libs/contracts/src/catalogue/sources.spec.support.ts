import { readLandscape, restrictedTo } from '../check/landscape.js';
import { FIELDS, FOLDERS, type Files, files, tree } from '../check/shop.spec.support.js';
import { readContracts } from '../contract-file.js';
import { readSchemas } from '../schemas.js';
import type { CatalogueSources, Environment } from './gathering.js';

const SHOP = 'app: shop\nowner: sales\nproduces: [shop.OrderPlaced]\n';

/** The shop of the check's specs, with the contract of its producer. */
export function shop(fields: Record<string, unknown> = FIELDS, apps?: Record<string, readonly string[] | '*'>, extra: Files = {}): Files {
  return files(fields, apps, { 'apps/shop/contracts.yaml': SHOP, ...extra });
}

/** What is declared in some files and deployed from others: every app of them, from one commit. */
export async function sourcesOf(now: Files, deployed: Readonly<Record<string, Files>> = {}): Promise<CatalogueSources> {
  const schemas = await readSchemas(tree('working tree', now), FOLDERS.schemas);
  const contracts = await readContracts(tree('working tree', now), FOLDERS.apps, schemas);
  return { schemas, contracts, environments: await Promise.all(Object.entries(deployed).map(([name, there]) => environment(name, there))) };
}

const COMMIT = '4f1c2a9000000000000000000000000000000000';

async function environment(name: string, there: Files): Promise<Environment> {
  const landscape = await readLandscape(tree(name, there), FOLDERS);
  const apps = landscape.contracts.map(({ app }) => app);
  return { name, landscapes: [restrictedTo(landscape, `${name} 4f1c2a9`, new Set(apps))], commits: new Map(apps.map((app) => [app, COMMIT])) };
}

/** `facts` facts in topics of ten, each with `fields` fields, and `apps` apps that read every tenth of them. */
export function invented({ facts, apps, fields = 12 }: { facts: number; apps: number; fields?: number }): Files {
  const found: Files = {};
  for (let at = 0; at < facts; at++) {
    const topic = Math.floor(at / 10);
    const listed = Array.from({ length: fields }, (_each, field) => ({ name: `field${field}`, doc: `Says what number ${field} is about, in some words.`, type: field % 3 === 0 ? ['null', 'string'] : 'long', ...(field % 3 === 0 && { default: null, 'confluent:tags': ['PII'] }) }));
    found[`schemas/t${topic}/Thing${at}Happened.avsc`] = JSON.stringify({ type: 'record', name: `Thing${at}Happened`, namespace: `t${topic}`, doc: `Thing ${at} happened.`, fields: [{ name: 'meta', type: 'factline.Meta' }, { name: 'id', type: 'string' }, ...listed] });
    found[`schemas/t${topic}/topic.yaml`] = `name: t${topic}\nowner: app${topic % apps}\nkeyField: id\npartitions: 6\nkind: facts\n`;
  }
  for (let app = 0; app < apps; app++) {
    const own = Array.from({ length: facts }, (_each, at) => at).filter((at) => Math.floor(at / 10) % apps === app);
    const read = Array.from({ length: Math.ceil(facts / 10) }, (_each, at) => (at * 10 + app) % facts);
    const name = (at: number) => `t${Math.floor(at / 10)}.Thing${at}Happened`;
    const consumes = [...new Set(read)].map((at) => `  - fact: ${name(at)}\n    select: [id, field0, field1]\n    purpose: Something.\n`);
    found[`apps/app${app}/contracts.yaml`] = `app: app${app}\nowner: team${app}\nproduces: [${own.map(name).join(', ')}]\nconsumes:\n${consumes.join('')}`;
  }
  return found;
}
