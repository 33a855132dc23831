import { type Environment, type StackAddresses, cacheDirectory, environment } from './env.js';
import { partsOf } from './packages.js';
import { readRecord, readRecords } from './record.js';
import { stackName } from './stack.js';
import { remove, sweep } from './sweep.js';

/** A running stack and how its parts are. */
export interface StackStatus {
  /** The name of a detached stack, else an id. */
  readonly id: string;
  readonly detached: boolean;
  readonly startedAt: string;
  /** Undefined while it is being started. */
  readonly addresses: StackAddresses | undefined;
  readonly folder: string;
  readonly parts: readonly {
    readonly name: string;
    readonly address: string;
    readonly pid: number | undefined;
    readonly log: string;
    /** Undefined when the part serves, else what is wrong with it. */
    readonly problem: string | undefined;
  }[];
}

/** All stacks that processes of this user run on this machine from packages, the detached and the owned ones; asks each part (at most 2 s). Removes orphans first. */
export async function stackStatus(options: { readonly env?: Environment } = {}): Promise<StackStatus[]> {
  const cache = cacheDirectory(environment(options.env));
  await sweep(cache);
  return await Promise.all(
    readRecords(cache).map(async (record) => ({
      id: record.id,
      detached: record.detached,
      startedAt: record.startedAt,
      addresses: record.addresses,
      folder: record.folder,
      parts: await Promise.all(
        partsOf(cache, record).map(async (part) => ({
          name: part.launch.name,
          address: part.launch.address,
          pid: part.pid,
          log: part.launch.log,
          problem: await part.health(),
        })),
      ),
    })),
  );
}

/** Stops a detached stack and deletes its data; false when there is none of that name. Removes orphans too. */
export async function stopStack(options: { readonly name?: string; readonly env?: Environment } = {}): Promise<boolean> {
  const cache = cacheDirectory(environment(options.env));
  const name = stackName(options.name);
  await sweep(cache);
  const record = readRecord(cache, name);
  if (!record?.detached) return false;
  await remove(cache, record);
  return true;
}
