import type { Reached } from 'factline/consumer';
import type { TopicState } from 'factline/log';
import { SILENT_MS } from './limits.js';

/** applied: in effect. passed-by: nothing is to be done for it. waits: a dead letter, or behind one. given-up: a person decided. */
export type HopState = 'applied' | 'passed-by' | 'waits' | 'given-up' | 'not-seen-yet' | 'unknown';

/** What became of a fact in one read model, or one subscription of reactions. */
export interface Hop {
  readonly app: string;
  readonly subscription: string;
  readonly kind: 'read model' | 'reactions';
  readonly generation?: number;
  readonly state: HopState;
  /** Of what is known exactly. */
  readonly at?: Date;
  /** Of what is known within bounds: not before, and no later than. */
  readonly after?: Date;
  readonly by?: Date;
  readonly reason?: string;
}

export type Verdict = Pick<Hop, 'state' | 'at' | 'after' | 'by' | 'reason'>;

/** A published fact and its surroundings, as one subscription sees it. */
export interface Passage {
  readonly offset: number;
  readonly publishedAt: Date;
  readonly topic: TopicState | undefined;
  readonly partition: number;
  readonly reached: Reached | undefined;
  readonly app: string;
  /** Whether a process of the app is connected to its database now. */
  readonly connected: boolean;
  /** Why this code does not go on with the build. */
  readonly outdated?: string;
  readonly now: Date;
}

/** Before anything that depends on the kind of subscription: dead letters, and a log that is not the one that was read. undefined: the checkpoint has passed the fact. */
export function verdictOf(passage: Passage): Verdict | undefined {
  const { offset, reached, topic, partition } = passage;
  if (!reached) return notYet(!passage.connected ? noProcess(passage.app) : 'nothing of this partition was ever read: no process was given it yet');
  const { letter, failed, nextOffset } = reached;
  if (letter) return { state: 'waits', at: letter.parkedAt, reason: letter.code === null ? behind(failed) : `dead letter ${letter.code}: ${letter.reason ?? ''}` };
  if (topic && topic.id !== reached.topicId) return notYet('GAP: the topic was deleted and created again since it was last read; offsets mean other facts');
  if (nextOffset > offset) return undefined;
  const kept = topic?.partitions[partition];
  if (kept && kept.start > nextOffset) return notYet(`GAP: retention removed facts that were never applied: the log begins at ${kept.start}, the checkpoint stands at ${nextOffset}`);
  if (kept && kept.end < nextOffset) return notYet(`GAP: the log ends at ${kept.end}, before the checkpoint ${nextOffset}: its tail was lost`);
  return notYet(whyNotYet(passage, reached));
}

/** When a fact came into effect that the checkpoint has passed. */
export function appliedWhen({ offset, publishedAt, reached }: Passage): Verdict {
  const { nextOffset, lastOffset, movedAt, notYetAt, passedBy } = reached!;
  if (lastOffset === offset && nextOffset === offset + 1) return { state: 'applied', at: movedAt };
  const after = notYetAt && notYetAt > publishedAt ? notYetAt : publishedAt;
  const by = passedBy && passedBy < movedAt ? passedBy : movedAt;
  return { state: 'applied', after, by, ...(passedBy === null && { reason: 'no mark is left of that time, so the later bound is the last move of the checkpoint' }) };
}

function whyNotYet({ offset, app, connected, outdated, now }: Passage, { nextOffset, asOf, movedAt }: Reached): string {
  const before = offset - nextOffset;
  const lag = before === 0 ? 'it is the next one' : `${before} ${before === 1 ? 'fact lies' : 'facts lie'} before it`;
  if (outdated) return `OUTDATED: ${outdated}; ${lag}`;
  if (!connected) return `${noProcess(app)}; ${lag}`;
  const moved = asOf && asOf > movedAt ? asOf : movedAt;
  if (now.getTime() - moved.getTime() > SILENT_MS) return `it has not moved since ${moved.toISOString()}, although a process of ${app} runs: its /health says why; ${lag}`;
  return `lag: ${lag}`;
}

function behind(failed: Reached['failed']): string {
  return failed ? `waits behind a fact of its key at offset ${failed.offset} that failed: ${failed.code}: ${failed.reason ?? ''}` : 'waits behind a fact of its key that failed';
}

function noProcess(app: string): string {
  return `no process of ${app} is connected to its database`;
}

export function notYet(reason: string): Verdict {
  return { state: 'not-seen-yet', reason };
}
