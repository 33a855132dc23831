import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Population, expectedRow } from '../../bench/employees.js';
import { type Scene, fill, openScene } from '../../bench/scene.js';
import type { Estate } from './estate.js';
import { ROOT } from './root.js';

/** An app with nothing but a long history and a projection of it, for the command line to rebuild: on a topic of its own, so that nobody else has to read it. */
export interface Archive {
  scene: Scene;
  /** What every command needs: `--app archive --root <folder>`. */
  app: readonly string[];
  /** The app's database, as the command line is told. */
  settings: Readonly<Record<string, string>>;
  /** Rows of a schema of the projection that are not what the history says, missing and surplus ones included. */
  differences(schema: string): Promise<number>;
  remove(): Promise<void>;
}

export async function openArchive({ world }: Pick<Estate, 'world'>, population: Population): Promise<Archive> {
  const scene = await openScene(world, 'archive');
  await fill(scene, population);
  const folder = await mkdtemp(resolve(tmpdir(), 'factline-archive-'));
  // Rebuild threads import the module by its address, and the topic is part of it.
  const module = pathToFileURL(resolve(ROOT, 'dist/bench/bench.projection.js')).href;
  await writeFile(resolve(folder, 'payees.mjs'), `export { payees } from '${module}?topic=${scene.topic}';\n`);
  const apps = { archive: { contracts: 'contracts.yaml', databaseUrl: 'ARCHIVE_DATABASE_URL', projections: ['payees.mjs'] } };
  await writeFile(resolve(folder, 'factline.config.json'), JSON.stringify({ apps }));
  return {
    scene,
    app: ['--app', 'archive', '--root', folder],
    settings: { ARCHIVE_DATABASE_URL: scene.databaseUrl },
    differences: (schema) => differences(scene, population, schema),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function differences({ store }: Scene, population: Population, schema: string): Promise<number> {
  const { rows } = await store.query<Record<string, string>>(`select employee_id, name, salary_cents, currency, location, factline_sequence from ${schema}.payees`);
  const found = new Map(rows.map((row) => [row['employee_id']!, row]));
  let wrong = 0;
  for (let key = 0; key < population.keys; key++) {
    const right = expectedRow(key, population.each, population);
    const row = found.get(`e-${key}`);
    found.delete(`e-${key}`);
    const equal = row && right && Object.entries({ ...right, factline_sequence: population.each }).every(([column, value]) => String(value) === row[column]);
    if (!equal && (row !== undefined || right !== undefined)) wrong++;
  }
  return wrong + found.size;
}
