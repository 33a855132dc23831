import { appliedIn } from 'factline/projections';
import { type KnownReactions, handledIn } from 'factline/reactions';
import type { TopicState } from 'factline/log';
import { type Hop, type Passage, type Verdict, appliedWhen, notYet, verdictOf } from './hop.js';
import type { Published } from './search.js';
import type { Site } from './site.js';

/** A fact that is to be followed; without a place when it is not published yet. */
export interface Followed {
  readonly name: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: number;
  readonly published: Pick<Published, 'partition' | 'offset' | 'at'> | undefined;
  /** Why it is not in the log, or why that is not known. */
  readonly unpublished?: string;
  readonly state: TopicState | undefined;
}

/** What became of a fact in every subscription of an app that reads its topic. */
export async function hopsIn(site: Site, fact: Followed, now: Date): Promise<Hop[]> {
  return [...(await inReadModels(site, fact, now)), ...(await inReactions(site, fact, now))];
}

async function inReadModels(site: Site, fact: Followed, now: Date): Promise<Hop[]> {
  const hops: Hop[] = [];
  for (const [subscription, versions] of site.projections) {
    if (!versions.some(({ topics }) => topics.includes(fact.topic))) continue;
    const own = { app: site.app, subscription, kind: 'read model' as const };
    if (!fact.published) {
      hops.push({ ...own, ...notYet(fact.unpublished ?? 'it is not published yet') });
      continue;
    }
    const builds = await appliedIn(site.store, versions, { topic: fact.topic, ...fact.published });
    if (builds.length === 0) hops.push({ ...own, ...notYet('this read model was never started: it has no tables') });
    for (const { build, generation, version, outdated, reached, purged } of builds) {
      const which = { ...own, ...(build === 'next' && { subscription: `${subscription} (being built)` }), generation };
      const mismatch = `it was built by version ${version} of its code, which is not the one here: factline replay run ${subscription} --app ${site.app}`;
      const passage = { ...passageOf(site, fact, now), reached, ...(outdated && { outdated: mismatch }) };
      const selected = versions.some(({ facts }) => facts.some(({ factName }) => factName === fact.name));
      if (purged) hops.push({ ...which, state: 'given-up', at: purged.at, reason: `${purged.reason} (${purged.by})` });
      else hops.push({ ...which, ...(verdictOf(passage) ?? (selected ? appliedWhen(passage) : passedBy(fact.name))) });
    }
  }
  return hops;
}

async function inReactions(site: Site, fact: Followed, now: Date): Promise<Hop[]> {
  const hops: Hop[] = [];
  for (const known of site.reactions.filter(({ facts }) => facts.some(({ topic }) => topic === fact.topic))) {
    const own = { app: site.app, subscription: known.name, kind: 'reactions' as const };
    hops.push({ ...own, ...(fact.published ? await reactionVerdict(site, known, fact, now) : notYet(fact.unpublished ?? 'it is not published yet')) });
  }
  return hops;
}

async function reactionVerdict(site: Site, { name, since, createdAt, facts }: KnownReactions, fact: Followed, now: Date): Promise<Verdict> {
  const { at: publishedAt, ...place } = fact.published!;
  const { reached, done, givenUp } = await handledIn(site.store, name, { topic: fact.topic, key: fact.key, ...place });
  if (givenUp) return { state: 'given-up', at: givenUp.at, reason: `${givenUp.reason} (${givenUp.by})` };
  const passage = { ...passageOf(site, fact, now), reached };
  const isDone = done !== undefined && done.sequence >= fact.sequence && !reached?.letter;
  const verdict = verdictOf(passage);
  if (verdict && !isDone) return verdict;
  if (!facts.some(({ factName }) => factName === fact.name)) return passedBy(fact.name);
  if (since === 'now' && publishedAt < createdAt) return { state: 'passed-by', reason: `these reactions began with the facts from ${createdAt.toISOString()} on` };
  if (!isDone) return { state: 'unknown', reason: 'the checkpoint has passed it, and the inbox does not know its key so far' };
  if (done.sequence === fact.sequence && done.at) return { state: 'applied', at: done.at };
  const marks = reached && !verdict ? appliedWhen(passage) : { state: 'applied' as const, after: publishedAt };
  return marks.at ? marks : { ...marks, ...earliest(marks.by, done.at) };
}

/** A later fact of the key was done then, so this one was before. */
function earliest(by: Date | undefined, doneAt: Date | null): Pick<Verdict, 'by'> {
  if (!doneAt) return {};
  return { by: by && by < doneAt ? by : doneAt };
}

function passageOf({ app, connected }: Site, { published, state }: Followed, now: Date): Omit<Passage, 'reached'> {
  const { offset, partition, at } = published!;
  return { offset, partition, publishedAt: at, topic: state, app, connected, now };
}

function passedBy(name: string): Verdict {
  return { state: 'passed-by', reason: `it does not select ${name}` };
}
