import { FactSubscription, Freshness, type SubscriptionTarget } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import type { Logger } from 'factline/kernel';
import { LiveProjection, type Projection, importProjection } from 'factline/projections';
import type { Scene } from './scene.js';

/** The module whose URL carries the topic, as rebuild threads import it. */
export function projectionModule(topic: string): string {
  return `${new URL('./bench.projection.js', import.meta.url).href}?topic=${encodeURIComponent(topic)}`;
}

export function projectionOf(topic: string): Promise<Projection> {
  return importProjection(projectionModule(topic), 'payees');
}

export interface LiveModel {
  subscription: FactSubscription;
  /** When the last assignment had its positions; monotonic milliseconds. */
  assignedAt(): number;
  /** Resolves with the time at which so many facts had been committed in all. */
  committed(facts: number): Promise<number>;
  stop(): Promise<void>;
}

/** What gets told of trouble, so that a run that is slow because it retries does not look merely slow. */
const loud: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
};

/** A live read model as an app runs it, with a look at when it was assigned and when facts were committed. */
export async function startLive({ topic, store, log, schemas }: Pick<Scene, 'topic' | 'store' | 'log' | 'schemas'>, group: string): Promise<LiveModel> {
  const projection = await projectionOf(topic);
  const live = new LiveProjection(projection, store, new FactDecoder(projection.facts, schemas));
  await live.prepare();
  let assigned = 0;
  let facts = 0;
  const waiting: { facts: number; resolve: (at: number) => void }[] = [];
  const target: SubscriptionTarget = {
    generation: () => live.generation(),
    claim: async (topics, partitions) => {
      const checkpoints = await live.claim(topics, partitions);
      assigned = performance.now();
      return checkpoints;
    },
    apply: async (checkpoint, work) => {
      const result = await live.apply(checkpoint, work);
      if (result !== 'fenced') facts += work.records.length;
      while (waiting.length > 0 && facts >= waiting[0]!.facts) waiting.shift()!.resolve(performance.now());
      return result;
    },
    recordAsOf: (entries) => live.recordAsOf(entries),
  };
  const subscription = new FactSubscription({ name: 'payees', group, topics: projection.topics, log, target, freshness: new Freshness(), logger: loud });
  subscription.start();
  return {
    subscription,
    assignedAt: () => assigned,
    committed: (wanted) => (facts >= wanted ? Promise.resolve(performance.now()) : new Promise((resolve) => waiting.push({ facts: wanted, resolve }))),
    stop: () => subscription.stop(),
  };
}
