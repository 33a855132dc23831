import { canonicalJson } from '../canonical.js';
import type { SchemaRegistry } from '../registry.js';
import { sorted } from '../sorted.js';
import type { History, RegisteredSubject } from './history.js';
import { formatLock } from './lock.js';
import { registryHistory } from './registry-history.js';

export interface PullOptions {
  /** Facts that are declared. */
  readonly subjects: Iterable<string>;
  /** The lock as it is. */
  readonly before?: History | undefined;
  /** Leave every other subject of the lock as it is; else they are asked for as well, since facts of what is gone stay on their topics. Default false. */
  readonly only?: boolean;
}

/** Something that the lock did not say. */
export interface PulledNews {
  readonly subject: string;
  readonly level?: string | undefined;
  readonly version?: number;
  readonly id?: number;
}

/** The next lock file, and what is new or contradicted in it. */
export interface Pulled {
  /** The lock file that should be. */
  readonly text: string;
  /** Whether it differs from the one before. */
  readonly changed: boolean;
  readonly subjects: number;
  readonly versions: number;
  readonly news: readonly PulledNews[];
  /** What the lock has and the registry has not, or has otherwise. A registry only grows: then it is another one, or was restored, or somebody deleted. */
  readonly contradictions: readonly string[];
  readonly leftOut: readonly { readonly subject: string; readonly why: string }[];
}

/** Compares a lock with the registry and makes the next one; writes nothing. @throws FactlineError as `registryHistory` does. */
export async function pullLock(registry: SchemaRegistry, { subjects, before, only = false }: PullOptions): Promise<Pulled> {
  const kept = before?.subjects ?? new Map<string, RegisteredSubject>();
  const asked = new Set([...subjects, ...(only ? [] : kept.keys())]);
  const leftOut: { subject: string; why: string }[] = [];
  const now = await registryHistory(registry, { subjects: asked, leftOut: (subject, why) => leftOut.push({ subject, why }) });
  const after = new Map([...[...kept].filter(([subject]) => !asked.has(subject)), ...now.subjects]);
  const text = formatLock({ name: 'lock', subjects: after });
  return {
    text,
    changed: before === undefined || formatLock(before) !== text,
    subjects: after.size,
    versions: [...after.values()].reduce((sum, { versions }) => sum + versions.length, 0),
    news: [...now.subjects].flatMap(([subject, is]) => newsOf(subject, kept.get(subject), is)),
    contradictions: [...kept].filter(([subject]) => asked.has(subject)).flatMap(([subject, was]) => contradictionsOf(subject, was, now.subjects.get(subject))),
    leftOut: sorted(leftOut, ({ subject }) => subject),
  };
}

function newsOf(subject: string, was: RegisteredSubject | undefined, is: RegisteredSubject): PulledNews[] {
  const known = new Set(was?.versions.map(({ version }) => version));
  const versions = is.versions.filter(({ version }) => !known.has(version)).map(({ version, id }) => ({ subject, version, id }));
  return was?.level === is.level ? versions : [{ subject, level: is.level }, ...versions];
}

function contradictionsOf(subject: string, was: RegisteredSubject, is: RegisteredSubject | undefined): string[] {
  const now = new Map(is?.versions.map((version) => [version.version, version]));
  return was.versions.flatMap(({ version, id, schema }) => {
    const found = now.get(version);
    if (!found) return [`version ${version} of ${subject} (id ${id}) is not there`];
    if (found.id !== id) return [`version ${version} of ${subject} has id ${found.id}, and ${id} in the lock`];
    return canonicalJson(found.schema) === canonicalJson(schema) ? [] : [`version ${version} of ${subject} (id ${id}) has another schema`];
  });
}
