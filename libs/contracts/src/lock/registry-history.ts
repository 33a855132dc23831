import { FactlineError, messageOf } from 'factline/kernel';
import { type AvroNode, namespaceOf } from '../avro-json.js';
import { checkSize } from '../compatibility/json-size.js';
import { REGISTRY_CONCURRENCY, REGISTRY_PAGE_SUBJECTS } from '../limits.js';
import type { SchemaRegistry, StoredSchema } from '../registry.js';
import { sorted } from '../sorted.js';
import type { History, RegisteredSubject, RegisteredVersion } from './history.js';
import { registeredRecord } from './normal-form.js';

export interface HistoryOptions {
  /** Which subjects. Default: all that the registry lists. */
  readonly subjects?: Iterable<string>;
  /** Also those that the registry lists in the namespaces of `subjects`: what was declared once, or misspelt. Default false. */
  readonly neighbours?: boolean;
  /** Told of each subject that is left out, and why: it is not Avro, or not self-contained. */
  readonly leftOut?: (subject: string, why: string) => void;
}

/**
 * Every version that a registry has of some subjects, in the words of `normalForm`, with the level it enforces: that of the subject, else that of all subjects,
 * else NONE, which is what a registry enforces then. Subjects that it does not have are not in the answer, nor are versions that somebody deleted, softly or not.
 * At most 8 requests at a time, about 1 + the number of versions + 2 for each subject.
 * @throws FactlineError as SchemaRegistry does; `registry.changed` (conflict) when a version vanishes while it is read.
 */
export async function registryHistory(registry: SchemaRegistry, { subjects, neighbours = false, leftOut = () => undefined }: HistoryOptions = {}): Promise<History> {
  const asked = subjects && [...subjects];
  const namespaces = new Set(asked?.map(namespaceOf));
  const listed = asked && !neighbours ? [] : await list(registry, leftOut);
  const names = [...new Set([...(asked ?? []), ...listed.filter((name) => !asked || namespaces.has(namespaceOf(name)))])];
  const found = new Map<string, RegisteredSubject>();
  await eachOf(names, async (name) => {
    const subject = await subjectOf(registry, name);
    if (typeof subject === 'string') leftOut(name, subject);
    else if (subject) found.set(name, subject);
  });
  return { name: `registry ${registry.address}`, subjects: new Map(sorted(found, ([name]) => name)) };
}

async function list(registry: SchemaRegistry, leftOut: NonNullable<HistoryOptions['leftOut']>): Promise<string[]> {
  const { names, complete } = await registry.subjects();
  if (!complete) leftOut('*', `the registry lists ${REGISTRY_PAGE_SUBJECTS} subjects and may have more`);
  return names;
}

/** Undefined when the registry does not have it; a text that says why it cannot be compared. */
async function subjectOf(registry: SchemaRegistry, subject: string): Promise<RegisteredSubject | string | undefined> {
  const numbers = await registry.versions(subject);
  if (numbers.length === 0) return undefined;
  const versions: RegisteredVersion[] = [];
  for (const version of numbers) {
    const stored = await registry.version(subject, version);
    if (!stored) throw changed(subject, version);
    const schema = schemaIn(stored);
    if (typeof schema === 'string') return `version ${version} ${schema}`;
    versions.push({ version, id: stored.id, schema });
  }
  return { level: (await registry.levels(subject)).enforced, versions };
}

function schemaIn({ type, text, references }: StoredSchema): AvroNode | string {
  if (type !== 'AVRO') return `is ${type}, not Avro`;
  if (references) return 'refers to schemas of other subjects';
  try {
    const schema: unknown = JSON.parse(text);
    checkSize(schema, 'writer');
    return registeredRecord(schema);
  } catch (error) {
    return `cannot be read: ${messageOf(error)}`;
  }
}

function changed(subject: string, version: number): FactlineError {
  return new FactlineError({
    code: 'registry.changed',
    kind: 'conflict',
    message: `Version ${version} of ${subject} vanished while it was read.`,
    advice: 'Somebody deletes in the registry at this moment; run it again afterwards.',
    details: { subject, version },
  });
}

/** 8 at a time; the first failure ends it. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    try {
      while (next < items.length) await work(items[next++]!);
    } finally {
      next = items.length; // one failed: the others ask for nothing more
    }
  };
  await Promise.all(Array.from({ length: REGISTRY_CONCURRENCY }, worker));
}
