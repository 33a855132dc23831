import { grouped } from 'factline/kernel';
import type { DeclaredFact } from '../schemas.js';
import { byText } from '../sorted.js';
import { type Judged, RANK, forward, replay, worstOf } from './consumers.js';
import type { ConsumerVerdict } from './finding.js';
import { type Base, type Consumption, type Landscape, consumptionsOf, selectOf, statedIn } from './landscape.js';
import type { Readings } from './readings.js';
import { RelatedFields } from './related-fields.js';
import type { Version } from './wire.js';

/** One fact type: as it is now, as it was, and who reads it. */
export interface Subject {
  readonly factName: string;
  readonly now: DeclaredFact | undefined;
  /** As landscapes of the bases state it. */
  readonly before: readonly { readonly landscape: Landscape; readonly fact: DeclaredFact }[];
  /** Every schema it was ever stated with, as far as the bases know. */
  readonly versions: readonly Version[];
  /** One entry an app, the worst first. */
  readonly consumers: readonly ConsumerVerdict[];
  /** Every entry for it, now and before. */
  readonly consumptions: readonly (Consumption & { readonly landscape: Landscape })[];
}

/** Everything that is declared, was declared, was registered or is consumed; sorted by name. */
export function subjectsOf(now: Landscape, bases: readonly Base[], readings: Readings): Subject[] {
  const landscapes = [now, ...bases.flatMap((base) => base.landscapes)];
  const readers = landscapes.map((landscape) => ({ landscape, byFact: consumptionsOf(landscape) }));
  const names = new Set([
    ...landscapes.flatMap((landscape) => [...landscape.schemas.facts.keys()].filter((factName) => statedIn(landscape, factName))),
    ...bases.flatMap(({ history }) => (history?.file ? [...history.subjects.keys()] : [])),
    ...readers[0]!.byFact.keys(),
  ]);
  return [...names].toSorted().map((factName) => {
    const consumptions = readers.flatMap(({ landscape, byFact }) => (byFact.get(factName) ?? []).map((consumption) => ({ ...consumption, landscape })));
    const is = now.schemas.facts.get(factName);
    const versions = versionsOf(factName, bases, readings);
    const before = landscapes.slice(1).flatMap((landscape) => {
      const fact = statedIn(landscape, factName);
      return fact ? [{ landscape, fact }] : [];
    });
    return { factName, now: is, before, versions, consumptions, consumers: consumersOf(consumptions, now, is, versions, readings) };
  });
}

/** Versions that say the same are one, under all their names: registered ones first, oldest first. */
function versionsOf(factName: string, bases: readonly Base[], readings: Readings): Version[] {
  const found = new Map<string, { names: string[]; schema: Version['schema']; last: boolean }>();
  const add = (name: string, schema: Version['schema'], last: boolean) => {
    const print = readings.print(schema);
    const same = found.get(print);
    if (!same) found.set(print, { names: [name], schema, last });
    else {
      same.names.push(name);
      same.last ||= last;
    }
  };
  for (const { history } of bases) {
    const registered = history?.subjects.get(factName)?.versions ?? [];
    registered.forEach(({ version, schema }, at) => add(`version ${version} (${history!.name})`, schema, at === registered.length - 1));
  }
  for (const landscape of bases.flatMap((base) => base.landscapes)) {
    const fact = statedIn(landscape, factName);
    if (fact) add(landscape.name, fact.schema, true);
  }
  return [...found.values()];
}

/** Asking for a place costs reading the file again, with its lines. */
type Seen = Omit<ConsumerVerdict, 'place'> & { readonly landscape: Landscape; place(): ConsumerVerdict['place'] };

/**
 * Each app once, at its worst: as it is declared now, and as it is at the bases, since an app that stops selecting a field in the same change still runs with the
 * old selection until it is deployed.
 */
function consumersOf(consumptions: Subject['consumptions'], now: Landscape, is: DeclaredFact | undefined, versions: readonly Version[], readings: Readings): ConsumerVerdict[] {
  const byApp = grouped(consumptions, ({ app }) => app);
  const worst = [...byApp.values()].flatMap((entries) => {
    const seen = entries.map((consumption): Seen => seenAs(consumption, consumption.landscape === now ? judgedNow(consumption, is, versions, readings) : judgedBefore(consumption, is, readings)));
    const here = seen.find(({ landscape }) => landscape === now);
    const rank = Math.max(...seen.map(({ verdict }) => RANK[verdict]));
    const deployed = [...new Set(seen.filter(({ landscape, verdict }) => landscape.apps && verdict !== 'SAFE').map(({ landscape }) => landscape.name))];
    const at = here && RANK[here.verdict] === rank ? [here] : seen.filter(({ verdict }) => RANK[verdict] === rank);
    if (!here && rank === RANK.SAFE) return [];
    const { landscape, ...consumer } = at[0]!;
    const elsewhere = landscape === now ? {} : { tree: [...new Set(at.map((one) => one.landscape.name))].join(', ') };
    return [{ ...consumer, place: consumer.place(), ...elsewhere, ...(deployed.length > 0 && { deployed }) }];
  });
  return worstFirst(worst);
}

function judgedNow({ entry }: Consumption, is: DeclaredFact | undefined, versions: readonly Version[], readings: Readings): Judged {
  const select = selectOf(entry);
  const lasts = versions.filter(({ last }) => last);
  return worstOf([...lasts.map(({ schema }) => forward(readings, select, schema, is?.schema)), ...(is ? [replay(readings, select, is.schema, versions)] : [])]);
}

function judgedBefore({ entry, landscape }: Subject['consumptions'][number], is: DeclaredFact | undefined, readings: Readings): Judged {
  const known = landscape.schemas.facts.get(entry.fact);
  return known ? forward(readings, selectOf(entry), known.schema, is?.schema) : worstOf([]);
}

function seenAs({ app, entry, file, landscape }: Subject['consumptions'][number], { verdict, reasons }: Judged): Seen {
  const affected = new RelatedFields(reasons, (reason) => reason.field);
  const field = entry.select === '*' ? undefined : entry.select.find((selected) => affected.has(selected.field));
  const place = () => landscape.places.inFile(file, field?.path ?? entry.path);
  return { app, fact: entry.fact, verdict, reasons, place, landscape };
}

export function worstFirst(consumers: readonly ConsumerVerdict[]): ConsumerVerdict[] {
  return consumers.toSorted((one, other) => RANK[other.verdict] - RANK[one.verdict] || byText(one.app, other.app));
}
