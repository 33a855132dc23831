import { FactlineError, messageOf, pause } from 'factline/kernel';
import type { Projection } from 'factline/projections';
import { type KnownReactions, knownReactions } from 'factline/reactions';
import { Store, schemaMemory } from 'factline/store';
import { type AppDeclaration, type FactlineConfig, databaseUrlOf } from '../config.js';
import { projectionsOf } from '../projections.js';
import { DATABASE_WAIT_MS } from './limits.js';

/** What does not answer, and why. */
export interface Unreachable {
  readonly what: string;
  readonly reason: string;
}

/** One app with a database that answers. */
export interface Site {
  readonly app: string;
  readonly store: Store;
  /** By name; several versions of one, while one replaces another. */
  readonly projections: ReadonlyMap<string, readonly Projection[]>;
  readonly reactions: readonly KnownReactions[];
  /** Schema ids that its processes know. */
  readonly schemas: ReadonlyMap<number, string>;
  /** Whether a process of the app is connected to its database now. */
  readonly connected: boolean;
}

/** Opens every app's database. One that does not answer is named, and the others are asked all the same. */
export async function openSites(config: FactlineConfig): Promise<{ sites: Site[]; unreachable: Unreachable[]; close(): Promise<void> }> {
  const stores: Store[] = [];
  const sites: Site[] = [];
  const unreachable: Unreachable[] = [];
  for (const [app, declaration] of Object.entries(config.apps)) {
    try {
      const store = new Store({ url: await databaseUrlOf(config, declaration), applicationName: 'factline trace', connections: 1 });
      stores.push(store);
      sites.push(await withinTime(openSite(config, app, declaration, store)));
    } catch (error) {
      unreachable.push({ what: `the database of ${app}`, reason: messageOf(error) });
    }
  }
  return { sites, unreachable, close: async () => void (await Promise.all(stores.map((store) => store.close()))) };
}

async function openSite(config: FactlineConfig, app: string, declaration: AppDeclaration, store: Store): Promise<Site> {
  const { rows } = await store.query<{ connected: boolean; migrated: boolean }>(
    `select exists (select from pg_stat_activity where datname = current_database() and (application_name = $1 or starts_with(application_name, $1 || ' '))) as connected, to_regclass('factline.schema') is not null as migrated`,
    [`factline ${app}`],
  );
  const { connected, migrated } = rows[0]!;
  if (!migrated) throw new FactlineError({ code: 'trace.not-migrated', kind: 'configuration', message: 'It has none of the tables of this library yet.', advice: `Start the app once, or: factline migrate --app ${app}` });
  const schemas = new Map((await schemaMemory(store).all()).map(({ id, subject }) => [id, subject]));
  return { app, store, projections: await byName(projectionsOf(config, declaration)), reactions: await knownReactions(store), schemas, connected };
}

async function byName(exported: ReturnType<typeof projectionsOf>): Promise<Map<string, Projection[]>> {
  const found = new Map<string, Projection[]>();
  for await (const { projection: each } of exported) found.set(each.name, [...(found.get(each.name) ?? []), each].toSorted((one, other) => other.version - one.version));
  return found;
}

async function withinTime<T>(answer: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const late = pause(DATABASE_WAIT_MS, answered.signal).then(() => {
    if (!answered.signal.aborted) throw new FactlineError({ code: 'trace.no-answer', kind: 'unavailable', message: `No answer within ${DATABASE_WAIT_MS} ms.`, advice: 'Look whether the database runs, and whether somebody holds its tables.' });
  });
  try {
    return (await Promise.race([answer, late])) as T;
  } finally {
    answered.abort();
  }
}
