import { grouped } from 'factline/kernel';
import { allFields } from '../selection.js';
import { type ConsumerVerdict, type Finding, findingAt } from './finding.js';
import { type Consumption, type Landscape, type Selected, consumptionsOf } from './landscape.js';
import { RelatedFields } from './related-fields.js';
import { worstFirst } from './subjects.js';
import { type Tagged, TaggedFields } from './tagged.js';

/** What one entry of a contract reads of tagged fields. */
interface Reading extends Consumption {
  /** A selected field, and its tags; undefined when the fact has no such field. */
  readonly fields: readonly ReadField[];
  readonly related: RelatedFields<ReadField>;
}

interface ReadField extends Selected {
  readonly tagged: readonly Tagged[] | undefined;
}

/** A tagged field that an app reads and has no grant for. */
interface Missing {
  readonly reading: Reading;
  /** What it selects, and the field in it that carries the tag. */
  readonly field: string;
  readonly path: string;
  readonly carrier: string;
  readonly tag: string;
}

/** Fields that one finding names; the rest it counts. */
const NAMED = 5;

/**
 * Selected fields whose tags nobody granted to the app, and grants without use.
 *
 * What an app selects anew stands at its selection. A tag that is new on a field which the app selected before stands at the field, once for all apps: it is the
 * producer's change that they have to answer. Either way the app is DEGRADED, not BROKEN: it goes on reading, and reads what it may not.
 * Judged are contracts as they are declared now. Fields and facts that are not there are left to other rules.
 * @param before what a tag has to be missing from to be new: any of them.
 */
export function grantFindings(now: Landscape, before: readonly Landscape[]): Finding[] {
  const byFact = readingsOf(now);
  const missing = [...byFact.values()].flatMap((readings) => readings.flatMap(missingIn));
  const bases = missing.length === 0 ? [] : before.map((landscape) => ({ name: landscape.name, byFact: readingsOf(landscape) }));
  const newSince = (each: Missing) => bases.filter((base) => isNew(each, base.byFact.get(each.reading.entry.fact) ?? [])).map(({ name }) => name);
  const judged = missing.map((each) => ({ ...each, against: newSince(each) }));
  const atFields = grouped(judged.filter(({ against }) => against.length > 0), ({ reading, carrier, tag }) => JSON.stringify([reading.entry.fact, carrier, tag]));
  const atSelections = grouped(judged.filter(({ against }) => against.length === 0), ({ reading, field, path, tag }) => JSON.stringify([reading.file, path, field, tag]));
  return [
    ...[...atFields.values()].map((group) => tagAdded(group, [...new Set(group.flatMap(({ against }) => against))], now, byFact)),
    ...[...atSelections.values()].map((group) => selected(group, now, byFact)),
    ...[...byFact.values()].flatMap((readings) => readings.flatMap((reading) => unused(reading, now))),
  ];
}

/** By fact; facts that are not declared are left out. */
function readingsOf(landscape: Landscape): ReadonlyMap<string, readonly Reading[]> {
  const found = new Map<string, readonly Reading[]>();
  for (const [factName, consumptions] of consumptionsOf(landscape)) {
    const schema = landscape.schemas.facts.get(factName)?.schema;
    if (!schema) continue;
    const tags = new TaggedFields(schema);
    const readings = consumptions.map((consumption) => {
      const { select, path } = consumption.entry;
      const selected = select === '*' ? allFields(schema).map((field) => ({ field, path: `${path}.select` })) : select;
      const fields = selected.map((each) => ({ ...each, tagged: tags.readBy(each.field) }));
      return { ...consumption, fields, related: new RelatedFields(fields, ({ field }) => field) };
    });
    found.set(factName, readings);
  }
  return found;
}

function missingIn(reading: Reading): Missing[] {
  return reading.fields.flatMap(({ field, path, tagged = [] }) =>
    tagged
      .filter(({ tag }) => !reading.entry.grants.some((grant) => covers(grant.tag, tag)))
      .map(({ tag, field: carrier }) => ({ reading, field, path, carrier, tag })),
  );
}

/** A grant covers its tag and those below it. */
function covers(grant: string, tag: string): boolean {
  return tag === grant || tag.startsWith(`${grant}.`);
}

/** Whether the app read the field at a base, where it did not carry the tag. */
function isNew({ reading, carrier, tag }: Missing, base: readonly Reading[]): boolean {
  const fields = base.find(({ app }) => app === reading.app)?.related.of(carrier).filter(({ tagged }) => tagged) ?? [];
  return fields.length > 0 && !fields.some(({ tagged }) => tagged!.some((each) => each.field === carrier && each.tag === tag));
}

function tagAdded(group: readonly Missing[], against: readonly string[], now: Landscape, byFact: ReturnType<typeof readingsOf>): Finding {
  const { reading, carrier, tag } = group[0]!;
  const { fact } = reading.entry;
  const apps = [...new Set(group.map((each) => each.reading.app))].toSorted();
  const message = `The tag ${tag} is new, and ${apps.join(', ')} ${apps.length === 1 ? 'reads' : 'read'} the field without a grant for it.`;
  const found = findingAt('tag-not-granted', { fact, field: carrier, place: now.places.ofField(fact, carrier) }, message, { against });
  return { ...found, advice: `Keep the tag; let each app stop selecting the field, or ${granting(tag)}`, consumers: consumersOf(group, `is tagged ${tag} now, which is not granted`, now, byFact) };
}

function selected(group: readonly Missing[], now: Landscape, byFact: ReturnType<typeof readingsOf>): Finding {
  const { reading, field, path, tag } = group[0]!;
  const { app, file, entry } = reading;
  const carriers = [...new Set(group.map(({ carrier }) => carrier || entry.fact))]; // a field and its type may carry the same tag
  const tagged = carriers.length === 1 && carriers[0] === field ? 'which is' : `and with it ${listed(carriers)},`;
  const found = findingAt('tag-not-granted', { fact: entry.fact, field, place: now.places.inFile(file, path) }, `${app} selects ${field}, ${tagged} tagged ${tag}, and has no grant for it.`);
  return { ...found, advice: `Stop selecting ${field}; or ${granting(tag)}`, consumers: consumersOf(group, `is tagged ${tag}, which is not granted`, now, byFact) };
}

function granting(tag: string): string {
  return `write grants: [${tag}] beside the purpose, and let whoever guards contracts.yaml agree.`;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function unused({ app, file, entry, fields }: Reading, now: Landscape): Finding[] {
  if (fields.some(({ tagged }) => !tagged)) return []; // what a field that is not there would carry, nobody knows
  return entry.grants
    .filter(({ tag }) => !fields.some(({ tagged }) => tagged!.some((each) => covers(tag, each.tag))))
    .map(({ tag, path }) => findingAt('grant-unused', { fact: entry.fact, field: '', place: now.places.inFile(file, path) }, `${app} has a grant for ${tag}, and selects nothing that is tagged so.`));
}

/** Every consumer of the fact, those that read without a grant first. */
function consumersOf(group: readonly Missing[], message: string, now: Landscape, byFact: ReturnType<typeof readingsOf>): ConsumerVerdict[] {
  const { fact } = group[0]!.reading.entry;
  const all = byFact.get(fact)!.map((reading): ConsumerVerdict => {
    const own = group.filter((each) => each.reading === reading);
    const reasons = [...new Set(own.map(({ field }) => field))].map((field) => ({ field, message }));
    return { app: reading.app, fact, verdict: own.length > 0 ? 'DEGRADED' : 'SAFE', place: now.places.inFile(reading.file, own[0]?.path ?? reading.entry.path), reasons };
  });
  return worstFirst(all);
}
