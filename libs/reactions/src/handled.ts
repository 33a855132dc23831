import type { Reached } from 'factline/consumer';
import type { SelectedFact } from 'factline/contracts';
import { type Store, tableExists } from 'factline/store';
import { Inbox } from './inbox.js';

/** A subscription of reactions, as its database knows it, whether or not a process runs. */
export interface KnownReactions {
  readonly name: string;
  /** Which facts it began with. */
  readonly since: 'beginning' | 'now';
  readonly createdAt: Date;
  /** What it handles; other facts of these topics pass by. */
  readonly facts: readonly Pick<SelectedFact, 'factName' | 'topic'>[];
}

/** What a subscription knows of one fact. */
export interface HandledIn {
  /** undefined: nothing of the partition was ever read. */
  readonly reached: Reached | undefined;
  /** How far the fact's key is done, and when it came so far (null: not written down by an earlier version of this software). */
  readonly done: { readonly sequence: number; readonly at: Date | null } | undefined;
  /** The fact was given up: not handled, and never will be. */
  readonly givenUp: { readonly at: Date; readonly by: string; readonly reason: string } | undefined;
}

/** The subscriptions of reactions in a database; none where there are none, or never were. */
export async function knownReactions(store: Store): Promise<KnownReactions[]> {
  if (!(await tableExists(store, 'factline.reactions'))) return [];
  const { rows } = await store.query<{ name: string; since: KnownReactions['since']; created_at: Date; selections: SelectedFact[] }>('select name, since, created_at, selections from factline.reactions order by name');
  return rows.map(({ name, since, created_at: createdAt, selections }) => ({ name, since, createdAt, facts: selections.map(({ factName, topic }) => ({ factName, topic })) }));
}

export async function handledIn(store: Store, name: string, fact: { topic: string; partition: number; offset: number; key: string }): Promise<HandledIn> {
  const inbox = new Inbox(name);
  const { rows } = await store.query<{ sequence: string; at: Date | null }>(`select sequence, done_at as at from ${inbox.name} where topic = $1 and key = $2`, [fact.topic, fact.key]);
  const { rows: givenUp } = await store.query<{ at: Date; by: string; reason: string }>(
    'select given_up_at as at, given_up_by as by, reason from factline.given_up_fact where subscription = $1 and topic = $2 and partition = $3 and $4 = any(offsets) order by given_up_at desc limit 1',
    [name, fact.topic, fact.partition, fact.offset],
  );
  return { reached: await inbox.progress.of(store, fact), done: rows[0] && { sequence: Number(rows[0].sequence), at: rows[0].at }, givenUp: givenUp[0] };
}
