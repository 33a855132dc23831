import type { Reached } from 'factline/consumer';
import type { Store } from 'factline/store';
import type { Projection } from './projection.js';
import { Tables, readAbout, schemaNames } from './tables.js';

/** What one build of a projection knows of a place in the log. */
export interface AppliedIn {
  readonly build: 'live' | 'next';
  readonly generation: number;
  readonly version: number;
  /** Whether none of the known versions of its code may go on with it. */
  readonly outdated: boolean;
  /** undefined: nothing of the partition was ever read into it. */
  readonly reached: Reached | undefined;
  /** The fact was given up: not applied, and never will be. */
  readonly purged: { readonly at: Date; readonly by: string; readonly reason: string } | undefined;
}

/**
 * The live build, and the one being built, as far as they are there; asked of the database alone, whether or not a process runs.
 * @param versions of one projection, one at least.
 */
export async function appliedIn(store: Store, versions: readonly Projection[], place: { topic: string; partition: number; offset: number }): Promise<AppliedIn[]> {
  const projection = versions[0]!;
  const names = schemaNames(projection.name);
  const builds: AppliedIn[] = [];
  for (const build of ['live', 'next'] as const) {
    const tables = new Tables(projection, names[build]);
    const about = await readAbout(store, tables);
    if (!about) continue;
    const { generation, version, fingerprint } = about;
    const [reached, purged] = [await tables.progress.of(store, place), build === 'live' ? await purgedAt(store, projection.name, place) : undefined];
    builds.push({ build, generation, version, outdated: versions.every((each) => each.fingerprint !== fingerprint), reached, purged });
  }
  return builds;
}

async function purgedAt(store: Store, name: string, { topic, partition, offset }: { topic: string; partition: number; offset: number }): Promise<AppliedIn['purged']> {
  const { rows } = await store.query<{ at: Date; by: string; reason: string }>(
    'select purged_at as at, purged_by as by, reason from factline.purged_dead_letter where projection = $1 and topic = $2 and partition = $3 and $4 = any(offsets) order by purged_at desc limit 1',
    [name, topic, partition, offset],
  );
  return rows[0];
}
