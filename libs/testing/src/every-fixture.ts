import { join } from 'node:path';
import { serialize } from 'node:v8';
import { FactDecoder, type FactDefinition, FactEncoder, type FactMeta, type ReceivedFact, type SelectedFact, loadSchemas, withSequence } from 'factline/contracts';
import { fixturesOf } from 'factline/contracts/catalogue';
import { workingTree } from 'factline/contracts/check';
import { type WriterVersion, readLock, writersOf } from 'factline/contracts/lock';
import { FactlineError } from 'factline/kernel';

/** A fact as a consumer gets it, and what is special about it: `hr.EmployeeMoved v2 salaryCents: null`. */
export type Fixture<Data extends object = object> = readonly [title: string, fact: ReceivedFact<Data>];

export interface FixtureOptions {
  /** The repository of the declarations. Default: the folder in which the process runs. */
  root?: string;
  /** The folder of the schemas below it. Default `schemas`. */
  schemas?: string;
  /** `all`, the default: what is declared, and each version in registry.lock.json when there is one. `declared`: that alone. */
  versions?: 'all' | 'declared';
  /** Told the title of each fixture that could not be made. Without it that is an error, so that nothing is left out unseen. */
  leftOut?: (title: string) => void;
}

/** The key of all of them, so that they can follow each other. */
const KEY = '01926c5e-7a00-7000-8000-000000000001';

/**
 * Everything that a producer may state of facts, as this consumer gets it: `it.each(await everyFixture(EmployeeMoved))('%s', (_title, fact) => ...)`. Of each version that
 * may lie on the topic, the fixtures of its schema (`fixturesOf` says which, and what no fixture has) are written by the producer's encoder and read through the selection,
 * without a server. Titles say fact, version (`v2`; `declared`: not registered yet) and what is special. What differs in no selected field, nor in `meta.actor` or
 * `meta.occurredAt`, is given once a version. The data is the same at each run; ids in `meta` are not. Each fact has sequence 1 and the same key.
 * @throws FactlineError (configuration) `testing.fact-undeclared`, `testing.fixtures-left-out`, and as `loadSchemas` and the lock do; `contract.undeclared`;
 * (integrity) `fact.unreadable`: a registered version that the selection cannot be read from.
 */
export async function everyFixture<Data extends object>(selected: SelectedFact<Data> | readonly SelectedFact<Data>[], options: FixtureOptions = {}): Promise<Fixture<Data>[]> {
  const { root = process.cwd(), schemas = 'schemas', versions = 'all', leftOut } = options;
  const declared = (await loadSchemas(join(root, schemas))).facts;
  const history = versions === 'all' ? await readLock(workingTree(root), schemas) : undefined;
  const missing: string[] = [];
  const found: Fixture<Data>[] = [];
  for (const fact of [selected].flat() as SelectedFact<Data>[]) {
    const declaration = declared.get(fact.factName);
    if (!declaration) throw undeclared(fact.factName, join(root, schemas));
    for (const writer of writersOf(history?.subjects.get(fact.factName), declaration.schema)) {
      found.push(...(await fixturesFrom(writer, { ...declaration, keyField: declaration.topic.keyField }, fact, leftOut ?? ((title) => missing.push(title)))));
    }
  }
  if (missing.length > 0) throw incomplete(missing);
  return found;
}

async function fixturesFrom<Data extends object>(writer: WriterVersion, declared: FactDefinition, selected: SelectedFact<Data>, leftOut: (title: string) => void): Promise<Fixture<Data>[]> {
  const { version, id = 0, schema } = writer;
  const decoder = new FactDecoder([selected], { byId: async () => schema });
  await decoder.prepare([id]);
  const encoder = new FactEncoder();
  const seen = new Set<string>();
  const received: Fixture<Data>[] = [];
  const { fixtures, leftOut: names } = fixturesOf(schema, fieldsOf(selected));
  const titleOf = (name: string) => `${selected.factName} ${version === undefined ? 'declared' : `v${version}`} ${name}`;
  for (const { name, value } of fixtures) {
    const { meta, ...data } = value as { meta: Pick<FactMeta, 'actor' | 'occurredAt'> };
    const stated = { type: { ...declared, schema }, key: KEY, data: { ...data, [declared.keyField]: KEY }, context: { occurredAt: new Date(meta.occurredAt / 1_000), ...(typeof meta.actor === 'string' && { actor: meta.actor }) } };
    const fact = decoder.decode(KEY, withSequence(encoder.encode(stated, id).value, 1)) as ReceivedFact<Data>;
    const seenAs = serialize([fact.data, fact.meta.actor, fact.meta.occurredAt]).toString('latin1');
    if (!seen.has(seenAs)) received.push([titleOf(name), fact]);
    seen.add(seenAs);
  }
  for (const name of names) leftOut(titleOf(name));
  return received;
}

/** What a consumer may see of the writer's fields, under any name that its schema knows. */
function fieldsOf({ schema }: SelectedFact): ReadonlySet<string> {
  const { fields } = schema as { fields: readonly { name: string; aliases?: readonly string[] }[] };
  return new Set(['meta', ...fields.flatMap(({ name, aliases = [] }) => [name, ...aliases])]);
}

function undeclared(factName: string, folder: string): FactlineError {
  return new FactlineError({
    code: 'testing.fact-undeclared',
    kind: 'configuration',
    message: `${factName} is not declared in ${folder}.`,
    advice: 'Run the specs in the root of the repository, or give everyFixture the root, and the folder of the schemas below it.',
    details: { factName },
  });
}

/** Titles that a message names; `details.titles` has them all. */
const NAMED = 20;

function incomplete(titles: readonly string[]): FactlineError {
  const more = titles.length > NAMED ? ` and ${titles.length - NAMED} more` : '';
  return new FactlineError({
    code: 'testing.fixtures-left-out',
    kind: 'configuration',
    message: `Not all that may be stated has a fixture: ${titles.slice(0, NAMED).join('; ')}${more}.`,
    advice: 'Give everyFixture a function `leftOut` to do without them, and say in the spec why that is enough.',
    details: { titles },
  });
}
