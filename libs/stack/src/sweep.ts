import { rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { KILL_DEADLINE_MS } from './limits.js';
import { endProcess, goneSync, signal } from './processes.js';
import { type PartKind, type StackRecord, deleteRecord, isOrphan, readRecords } from './record.js';

/** Nothing is flushed when the data goes anyway; Postgres gets SIGQUIT because only it can return its shared memory segment. */
function endSignal(kind: PartKind): NodeJS.Signals {
  return kind === 'postgres' ? 'SIGQUIT' : 'SIGKILL';
}

/** Ends a stack's processes, each only if it is still the one recorded, and deletes its data and its record. */
export async function remove(cache: string, record: StackRecord): Promise<void> {
  await Promise.all(
    record.parts.map(async ({ launch, process: identity }) => {
      if (!identity) return;
      signal(identity, 'SIGCONT'); // a paused process does not see its end
      await endProcess(identity, endSignal(launch.kind), KILL_DEADLINE_MS);
    }),
  );
  // children of a killed server may still write for a moment
  await rm(record.folder, { recursive: true, force: true, maxRetries: 5 });
  deleteRecord(cache, record);
}

/** The same while the process exits. */
export function removeSync(cache: string, record: StackRecord): void {
  const identities = record.parts.flatMap((part) => {
    if (!part.process) return [];
    signal(part.process, 'SIGCONT');
    signal(part.process, endSignal(part.launch.kind));
    return [part.process];
  });
  if (!goneSync(identities)) return; // the record stays, and the next start tries again
  rmSync(record.folder, { recursive: true, force: true, maxRetries: 5 });
  deleteRecord(cache, record);
}

/** Removes the stacks that nobody answers for. */
export async function sweep(cache: string): Promise<number> {
  const orphans = readRecords(cache).filter((record) => isOrphan(record));
  await Promise.all(orphans.map((record) => remove(cache, record)));
  return orphans.length;
}
