import { type FactHead, FactDecoder, SchemaRegistry, type TopicDeclaration } from 'factline/contracts';
import { messageOf } from 'factline/kernel';
import { type StatedFact, outboxStatus, statedFact, statedFactsWith } from 'factline/outbox';
import type { Hop } from './hop.js';
import { hopsIn } from './hops.js';
import { CLOCK_SKEW_MS, DEPTH } from './limits.js';
import { LogSearch, type Published } from './search.js';
import type { Site, Unreachable } from './site.js';

/** Where a fact was committed. */
export interface Committed {
  readonly app: string;
  /** delivered: the log has it. waits: not yet, as far as the relay has stored. left: delivered rows leave the outbox. unknown: the database does not answer. */
  readonly outbox: 'delivered' | 'waits' | 'left' | 'unknown';
  /** Of its row; absent without one: then the id alone says when it was stated, by the clock of that process. */
  readonly at?: Date;
  readonly reason?: string;
}

/** One fact and its path. */
export interface TracedFact {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: number;
  readonly statedAt: Date;
  readonly occurredAt: Date;
  readonly correlationId: string;
  readonly causationId: string;
  readonly committed: Committed;
  readonly published: { readonly partition: number; readonly offset: number; readonly at: Date } | null;
  readonly unpublished?: string;
  readonly traceparent?: string;
  readonly hops: readonly Hop[];
  readonly caused: readonly TracedFact[];
}

/** A fact as one of the places has it, or both. */
interface Known {
  readonly head: FactHead;
  readonly topic: string;
  readonly key: string;
  stated?: StatedFact & { app: string };
  published?: Published;
}

export interface StoryParts {
  readonly sites: readonly Site[];
  /** undefined: it does not answer. */
  readonly search: LogSearch | undefined;
  readonly topics: ReadonlyMap<string, TopicDeclaration>;
  readonly registry: SchemaRegistry;
  readonly now: Date;
  /** What did not answer; what is found out while looking is added. */
  readonly unreachable: Unreachable[];
}

/** Puts the path of facts together from every outbox, the log, and every checkpoint. It reads only. */
export class Story {
  readonly #known = new Map<string, Known>();
  readonly #names = new Map<number, string>();
  readonly #waiting = new Map<string, string>();

  constructor(private readonly parts: StoryParts) {}

  /** A fact and what it caused. undefined: nobody knows it. */
  async ofFact(id: string): Promise<TracedFact | undefined> {
    const { sites, search, topics } = this.parts;
    for (const site of sites) this.#note(await statedFact(site.store, id), site.app);
    const stated = this.#known.get(id)?.stated;
    const fromMs = idTime(id) - CLOCK_SKEW_MS;
    const published = await search?.find(id, fromMs, stated ? [stated] : [...topics.keys()].map((topic) => ({ topic })));
    if (published) this.#publish(published);
    const root = this.#known.get(id);
    if (!root) return undefined;
    await this.#relatives(root.head.correlationId, id, fromMs);
    return this.#tell(root, 0, new Set());
  }

  /** The facts of a correlation id since a time, what was caused below what caused it. */
  async ofCorrelation(correlationId: string, since: Date): Promise<TracedFact[]> {
    await this.#relatives(correlationId, undefined, since.getTime());
    const roots = [...this.#known.values()].filter(({ head }) => head.correlationId === correlationId && !this.#known.has(head.causationId));
    const told: TracedFact[] = [];
    const seen = new Set<string>();
    for (const root of roots.toSorted(byTime)) told.push(await this.#tell(root, 0, seen));
    return told;
  }

  async #relatives(correlationId: string, causeId: string | undefined, fromMs: number): Promise<void> {
    const { sites, search } = this.parts;
    for (const published of (await search?.related(correlationId, causeId, fromMs)) ?? []) this.#publish(published);
    for (const { app, store } of sites) {
      for (const text of causeId === undefined ? [correlationId] : [correlationId, causeId]) {
        for (const stated of await statedFactsWith(store, text, new Date(fromMs))) {
          const { correlationId: correlation, causationId } = FactDecoder.head(stated.value);
          if (correlation === correlationId || causationId === causeId) this.#note(stated, app);
        }
      }
    }
  }

  #note(stated: StatedFact | undefined, app: string): void {
    if (!stated) return;
    const head = { ...FactDecoder.head(stated.value), sequence: stated.sequence };
    const known = this.#known.get(head.id) ?? { head, topic: stated.topic, key: stated.key };
    this.#known.set(head.id, { ...known, stated: { ...stated, app } });
  }

  #publish(published: Published): void {
    const { head, topic, key } = published;
    const known = this.#known.get(head.id);
    if (!known?.published) this.#known.set(head.id, { ...known, head, topic, key, published }); // the first one; the relay may have sent it again
  }

  async #tell(known: Known, depth: number, seen: Set<string>): Promise<TracedFact> {
    const { head, topic, key, published } = known;
    seen.add(head.id);
    const committed = await this.#committed(known);
    const unpublished = published ? undefined : this.#whyUnpublished(committed);
    const name = await this.#nameOf(head.schemaId);
    const fact = { name, topic, key, sequence: head.sequence, published, state: this.parts.search?.states.get(topic), ...(unpublished !== undefined && { unpublished }) };
    const hops: Hop[] = [];
    for (const site of this.parts.sites) hops.push(...(await hopsIn(site, fact, this.parts.now)));
    const children = depth < DEPTH ? [...this.#known.values()].filter((other) => other.head.causationId === head.id && !seen.has(other.head.id)) : [];
    const caused: TracedFact[] = [];
    for (const child of children.toSorted(byTime)) caused.push(await this.#tell(child, depth + 1, seen));
    const { id, sequence, correlationId, causationId } = head;
    return {
      id, name, topic, key, sequence, statedAt: new Date(idTime(id)), occurredAt: new Date(head.occurredAt / 1_000), correlationId, causationId, committed,
      published: published ? { partition: published.partition, offset: published.offset, at: published.at } : null,
      ...(unpublished !== undefined && { unpublished }),
      ...(published?.traceparent !== undefined && { traceparent: published.traceparent }),
      hops,
      caused,
    };
  }

  async #committed({ stated, published, topic }: Known): Promise<Committed> {
    const owner = this.parts.topics.get(topic)?.owner ?? 'an unknown app';
    if (!stated) return this.parts.sites.some(({ app }) => app === owner) ? { app: owner, outbox: 'left' } : { app: owner, outbox: 'unknown', reason: `the database of ${owner} does not answer` };
    const { app, statedAt: at, delivered } = stated;
    return delivered || published ? { app, outbox: 'delivered', at } : { app, outbox: 'waits', at, reason: await this.#whyItWaits(app) };
  }

  async #whyItWaits(app: string): Promise<string> {
    const known = this.#waiting.get(app);
    if (known !== undefined) return known;
    const { owned, owner, pending } = await outboxStatus(this.parts.sites.find((site) => site.app === app)!.store);
    const reason = owned ? `${owner ?? 'a relay'} publishes; about ${pending.rows} facts wait` : `nobody publishes: start ${app}, or factline relay --app ${app}`;
    this.#waiting.set(app, reason);
    return reason;
  }

  #whyUnpublished({ outbox, reason }: Committed): string {
    if (!this.parts.search) return 'the log does not answer';
    if (outbox === 'waits') return `it waits in the outbox: ${reason}`;
    return this.parts.search.complete ? 'it is not in the log, although it was delivered: a topic was deleted or lost its tail' : 'it was not found in the part of the log that was searched';
  }

  /** By what an app remembers, or the registry. */
  async #nameOf(schemaId: number): Promise<string> {
    const known = this.#names.get(schemaId) ?? this.parts.sites.find(({ schemas }) => schemas.has(schemaId))?.schemas.get(schemaId) ?? (await this.#registered(schemaId));
    this.#names.set(schemaId, known);
    return known;
  }

  async #registered(schemaId: number): Promise<string> {
    try {
      const { name, namespace } = (await this.parts.registry.byId(schemaId)) as { name?: string; namespace?: string };
      return namespace === undefined || name?.includes('.') ? (name ?? `schema ${schemaId}`) : `${namespace}.${name}`;
    } catch (error) {
      this.parts.unreachable.push({ what: `the name of schema ${schemaId}`, reason: messageOf(error) });
      return `schema ${schemaId}`;
    }
  }
}

function byTime(one: Known, other: Known): number {
  return one.head.id < other.head.id ? -1 : 1;
}

/** The milliseconds at the begin of a UUID version 7. */
function idTime(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
