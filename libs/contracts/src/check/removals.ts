import { aliasesOf, indexOfField, isPrimitive } from '../avro-json.js';
import { type Deprecation, soundDeprecation } from '../evolve/annotation.js';
import { type FactField, type FactRecord, FactFields } from '../fact-fields.js';
import { bindsOldReaders, levelOf } from '../levels.js';
import type { DeclaredFact } from '../schemas.js';
import { sorted } from '../sorted.js';
import { type ConsumerVerdict, type Finding, type Place, findingAt } from './finding.js';
import { type Landscape, consumptionsOf, selectionsOf, statedIn } from './landscape.js';

/** A field, or with an empty path a fact, that was at some base and is not any more. */
interface Gone {
  readonly fact: string;
  readonly field: string;
  /** Where it was, or what was around it. */
  readonly place: Place;
  /** The one with the latest date, of all bases. */
  readonly deprecation: Deprecation | undefined;
  /** Compatible as long as old readers have one, or the level does not ask for them. */
  readonly removable: boolean;
  readonly against: readonly string[];
}

/** Who reads what at one moment; the first of several is now. */
interface Readers {
  readonly landscape: Landscape;
  readonly byFact: ReturnType<typeof consumptionsOf>;
}

/** Removals that come before their date, against somebody who selects the field, or without ever having been announced. One finding for all bases. */
export function removalFindings(now: Landscape, before: readonly Landscape[], today: string): Finding[] {
  const found = new Map<string, Gone>();
  for (const base of before) {
    for (const was of base.schemas.facts.values()) {
      if (!statedIn(base, was.factName)) continue;
      for (const gone of goneFrom(base, was, now)) {
        const key = `${gone.fact} ${gone.field}`;
        const other = found.get(key);
        found.set(key, other ? merged(other, gone) : gone);
      }
    }
  }
  const readers = found.size === 0 ? [] : [now, ...before].map((landscape): Readers => ({ landscape, byFact: consumptionsOf(landscape) }));
  return [...found.values()].flatMap((gone) => judged(gone, readers, today));
}

function merged(one: Gone, other: Gone): Gone {
  const later = (one.deprecation?.removal ?? '') >= (other.deprecation?.removal ?? '') ? one.deprecation : other.deprecation;
  return { ...one, deprecation: later, removable: one.removable && other.removable, against: [...new Set([...one.against, ...other.against])] };
}

function judged(gone: Gone, readers: readonly Readers[], today: string): Finding[] {
  const { fact, field, place, deprecation, removable, against } = gone;
  const consumers = selecting(gone, readers);
  const apps = [...new Set(consumers.map(({ app }) => app))].join(', ');
  const find = (rule: Parameters<typeof findingAt>[0], message: string): Finding[] => [{ ...findingAt(rule, { fact, field, place }, message, { against }), consumers }];
  if (!deprecation) return removable && field !== '' ? find('removed-without-deprecation', `It is gone, and was never deprecated.${apps === '' ? '' : ` ${apps} selects it.`}`) : [];
  if (today < deprecation.removal) return find('removed-before-sunset', `It is gone, and was to stay until ${deprecation.removal}.${apps === '' ? '' : ` ${apps} selects it.`}`);
  return consumers.length > 0 ? find('removed-while-selected', `It is gone after ${deprecation.removal} as announced, and ${apps} still selects it.`) : [];
}

/** What a fact lost since a base. A field that is found by an alias was renamed, not lost, unless it had a date to stay until. */
function goneFrom(base: Landscape, was: DeclaredFact, now: Landscape): Gone[] {
  const { factName, schema } = was;
  const is = now.schemas.facts.get(factName);
  const whole = soundDeprecation(schema);
  if (!is) return [{ fact: factName, field: '', place: base.places.ofField(factName, ''), deprecation: whole, removable: false, against: [base.name] }];
  if (is.schema === schema) return []; // read from the same text: most schemas of most bases
  const oldReaders = bindsOldReaders(levelOf(is));
  return lostFields(new FactFields(base.schemas, was), new FactFields(now.schemas, is), whole).flatMap(({ path, field, deprecation, renamed }) =>
    renamed && !deprecation ? [] : [{ fact: factName, field: path, place: now.places.ofField(factName, path), deprecation, removable: !oldReaders || field.default !== undefined, against: [base.name] }],
  );
}

interface Lost extends FactField {
  /** Its own, or that of what holds it. */
  readonly deprecation: Deprecation | undefined;
  readonly renamed: boolean;
}

/** Fields that one version of a fact has and the other has not, matched by name; each pair of records is compared once. */
function lostFields(was: FactFields, is: FactFields, whole: Deprecation | undefined): Lost[] {
  const lost: Lost[] = [];
  const met = new Set<FactRecord['node']>();
  const open = [{ before: was.root, after: is.root, around: whole }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { before, after, around } = next;
    if (met.has(before.node)) continue;
    met.add(before.node);
    const aliases = new Set(after.node.fields!.flatMap(aliasesOf));
    before.node.fields!.forEach((field, at) => {
      const kept = indexOfField(after.node, field.name);
      if (kept >= 0 && typeof field.type === 'string' && isPrimitive(field.type)) return;
      const found = was.fieldAt(before, at);
      if (kept < 0) {
        lost.push({ ...found, deprecation: soundDeprecation(field) ?? around, renamed: aliases.has(field.name) });
        return;
      }
      const inside = was.recordsIn(found);
      const records = inside.length === 0 ? [] : is.recordsIn(is.fieldAt(after, kept));
      for (const record of inside) {
        const same = records.length === 1 ? records[0] : records.find(({ node }) => node.name === record.node.name);
        if (same) open.push({ before: record, after: same, around: soundDeprecation(field) ?? around });
      }
    });
  }
  return lost;
}

/** Who selects what is gone, as declared now and at the bases: each app once, as it is now when it still does. */
function selecting({ fact, field, removable }: Gone, readers: readonly Readers[]): ConsumerVerdict[] {
  const found = new Map<string, ConsumerVerdict>();
  readers.forEach(({ landscape, byFact }, moment) => {
    for (const { app, file, entry } of byFact.get(fact) ?? []) {
      const at = field === '' ? entry.path : selectionsOf(entry, field)[0]?.path;
      if (at === undefined || found.has(app)) continue;
      const reasons = [{ field, message: removable ? 'would come from a default' : 'is gone' }];
      found.set(app, { app, fact, verdict: removable ? 'DEGRADED' : 'BROKEN', place: landscape.places.inFile(file, at), reasons, ...(moment > 0 && { tree: landscape.name }) });
    }
  });
  return sorted(found.values(), ({ app }) => app);
}
