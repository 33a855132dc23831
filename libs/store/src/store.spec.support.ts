import { type World, until, world } from 'factline/testing';
import type { Store } from './index.js';

export interface TestStore {
  at: World;
  url: string;
  store: Store;
  /** A second way in, for locking, killing and looking. */
  other: Store;
}

/** A fresh database in which deadlocks are found at once instead of after a second. */
export async function testStore(): Promise<TestStore> {
  const at = await world();
  const url = await at.database('store');
  const other = at.store(url);
  await other.query(`alter database ${new URL(url).pathname.slice(1)} set deadlock_timeout = '20ms'`);
  const store = at.store(url);
  await store.query('create table account (id text primary key, cents bigint not null check (cents >= 0))');
  return { at, url, store, other };
}

/** Ends the server process behind a connection, as a crash or a failover does. */
export async function kill(by: Store, pid: number): Promise<void> {
  await by.query('select pg_terminate_backend($1)', [pid]);
  await until('the session is gone', async () => (await by.query('select 1 from pg_stat_activity where pid = $1', [pid])).rowCount === 0);
}

/** Waits until a session waits for a lock. */
export async function blocked(by: Store, pid: number): Promise<void> {
  await until('the session waits for a lock', async () => (await by.query('select 1 from pg_stat_activity where pid = $1 and wait_event_type = $2', [pid, 'Lock'])).rowCount === 1);
}

/** Resolves when so many have arrived. */
export function barrier(count: number): () => Promise<void> {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let arrived = 0;
  return () => {
    if (++arrived >= count) open();
    return opened;
  };
}
