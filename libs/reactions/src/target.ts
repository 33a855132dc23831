import { type BlockedKeys, type Checkpoint, type LaneOpening, type LaneTarget, Pauses, type ProgressEntry, type Trouble, claimCheckpoints } from 'factline/consumer';
import type { FactDecoder } from 'factline/contracts';
import { type Clock, systemClock } from 'factline/kernel';
import type { TopicState } from 'factline/log';
import type { Store } from 'factline/store';
import { type Tracing, noTracing } from 'factline/tracing';
import { Breaker } from './breaker.js';
import { Inbox } from './inbox.js';
import { KeyLane } from './key-lane.js';
import type { LaneParts, ReactionCounts } from './lane-parts.js';
import type { Reactions } from './reaction.js';
import { Scheduler } from './scheduler.js';

/** There is one generation of reactions: what has been done cannot be rebuilt. */
const GENERATION = 1;

/** Reactions as the target of their subscription. */
export class LiveReactions implements LaneTarget {
  readonly inbox: Inbox;
  readonly counts: ReactionCounts = { handled: 0, transactions: 0, duplicates: 0, overtaken: 0 };
  readonly #parts: LaneParts;

  /** @param store connections of their own, as many as handlers run at once and two more: requests must not be able to take them. */
  constructor(
    readonly reactions: Reactions,
    private readonly store: Store,
    decoder: FactDecoder,
    /** Named in advice, so that it can be pasted. */
    private readonly app: string = '<app>',
    clock: Clock = systemClock,
    tracing: Tracing = noTracing,
  ) {
    this.inbox = new Inbox(reactions.name);
    const breaker = new Breaker(clock);
    this.#parts = { reactions, store, decoder, inbox: this.inbox, breaker, scheduler: new Scheduler(breaker, reactions.concurrency), counts: this.counts, tracing, trouble: () => this.#trouble(breaker) };
  }

  /** Makes the tables if there are none; safe when several processes start at once. */
  async prepare(): Promise<void> {
    await this.store.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`factline.reactions.${this.reactions.name}`]);
      await tx.query(this.inbox.create);
      // What the app selects, so that tools read its dead letters exactly as it does.
      const selections = this.reactions.facts.map(({ factName, topic, schema, fingerprint, contract }) => ({ factName, topic, schema, fingerprint, contract }));
      await tx.query('insert into factline.reactions (name, since, selections) values ($1, $2, $3) on conflict (name) do update set selections = excluded.selections', [this.reactions.name, this.reactions.from, JSON.stringify(selections)]);
    });
  }

  async generation(): Promise<number> {
    return GENERATION;
  }

  /**
   * Where a new subscription begins is decided once, for all partitions: one that is assigned an hour later must not begin an hour later. One that is added to a topic later
   * is read from its first fact.
   */
  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    await this.prepare();
    const all = topics.flatMap(({ name, id, partitions: states }) => states.map(({ end }, partition) => ({ name, id, partition, at: this.reactions.from === 'now' ? end : 0 })));
    await this.store.query(
      `insert into ${this.inbox.checkpoints} (topic, partition, topic_id, next_offset, generation)
       select topic, partition, topic_id, case when topic in (select topic from ${this.inbox.checkpoints}) then 0 else at end, ${GENERATION} from unnest($1::text[], $2::integer[], $3::text[], $4::bigint[]) as t (topic, partition, topic_id, at) on conflict do nothing`,
      [all.map(({ name }) => name), all.map(({ partition }) => partition), all.map(({ id }) => id), all.map(({ at }) => at)],
    );
    return claimCheckpoints(this.store, this.reactions.name, GENERATION, topics, partitions);
  }

  openLane(opening: LaneOpening): KeyLane {
    return new KeyLane(opening, this.#parts);
  }

  async blocked(): Promise<BlockedKeys> {
    const { name } = this.reactions;
    return { keys: await this.inbox.deadLetters.countKeys(this.store), advice: `See why: factline dead-letters list ${name} --app ${this.app}; after the repair: factline dead-letters requeue ${name} --app ${this.app} --all` };
  }

  paused(): Promise<Trouble | undefined> {
    return new Pauses(this.store).shown(this.reactions.name, this.app);
  }

  async recordAsOf(entries: readonly ProgressEntry[]): Promise<void> {
    await this.inbox.progress.record(this.store, entries);
  }

  #trouble({ open, failingKeys }: Breaker): Trouble | undefined {
    if (!open) return undefined;
    const { error, sinceMs } = open;
    return {
      code: 'consumer.breaker',
      reason: `${failingKeys} different keys fail, so nothing more is tried but one fact now and then. The last: ${error.code}: ${error.message}`,
      advice: error.retry ? (error.advice ?? 'Bring back what it needs; it goes on by itself.') : 'This is the software or something it needs rather than a fact: correct it and deploy; it goes on by itself.',
      sinceMs,
    };
  }
}
