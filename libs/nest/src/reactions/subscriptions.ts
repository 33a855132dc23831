import type { Provider } from '@nestjs/common';
import type { CommandQueue } from 'factline/commands';
import { FactSubscription, Freshness, type SubscriptionStatus, followWatermarks } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError, type Logger, systemClock } from 'factline/kernel';
import { LiveReactions, ReactionDeadLetters, type Reactions, Redriver } from 'factline/reactions';
import { Store } from 'factline/store';
import { REACTION_SPARE_CONNECTIONS } from '../limits.js';
import type { Core } from '../module/core.js';

interface Running {
  live: LiveReactions;
  subscription: FactSubscription;
  freshness: Freshness;
  redriver: Redriver;
}

/** The reactions of this process and what feeds them. */
export class ReactionSubscriptions {
  readonly #made = new Map<string, Reactions>();
  readonly #running = new Map<string, Running>();
  /** The queues that are handled here. */
  readonly queues: CommandQueue[] = [];
  readonly #following = new AbortController();
  #followers: Promise<void>[] = [];
  #store: Store | undefined;

  constructor(
    private readonly core: Core,
    private readonly logger: Logger,
    /** The handlers of controllers, known once Nest has bound them. */
    private readonly bound: () => readonly Reactions[],
    /** The queues of controllers that handle commands. */
    private readonly boundQueues: () => readonly CommandQueue[],
  ) {}

  /** A queue that is handled here. */
  addQueue(queue: CommandQueue): CommandQueue {
    const { options, store } = this.core;
    this.add(queue.reactions({ app: options.app, store, log: this.logger }));
    this.queues.push(queue);
    return queue;
  }

  /** @throws FactlineError `nest.reactions-twice` (configuration) */
  add(made: Reactions): Reactions {
    if (this.#made.has(made.name)) {
      throw new FactlineError({
        code: 'nest.reactions-twice',
        kind: 'configuration',
        message: `Two subscriptions of reactions are named '${made.name}'.`,
        advice: 'Name them apart: the name is their position.',
      });
    }
    this.#made.set(made.name, made);
    return made;
  }

  /** Makes their tables, and connections of their own: requests cannot take those that handlers need. */
  async prepare(): Promise<void> {
    for (const each of this.bound()) this.add(each);
    for (const each of this.boundQueues()) this.addQueue(each);
    const { options, schemas, log, tracing } = this.core;
    const made = [...this.#made.values()];
    if (made.length === 0) return;
    const connections = made.reduce((sum, { concurrency }) => sum + concurrency + REACTION_SPARE_CONNECTIONS, 0);
    const store = (this.#store = new Store({ url: options.databaseUrl, applicationName: `factline ${options.app} reactions`, connections, log: this.logger }));
    for (const reactions of made) {
      const decoder = new FactDecoder(reactions.facts, schemas, options.app);
      const live = new LiveReactions(reactions, store, decoder, options.app, systemClock, tracing);
      await live.prepare();
      const freshness = new Freshness();
      const subscription = new FactSubscription({ name: reactions.name, group: `${options.app}.${reactions.name}`, topics: reactions.topics, log, target: live, freshness, logger: this.logger, tracing });
      const redriver = new Redriver({ reactions, inbox: live.inbox, store, log, decoder: new FactDecoder(reactions.facts, schemas, options.app), logger: this.logger, tracing });
      this.#running.set(reactions.name, { live, subscription, freshness, redriver });
    }
  }

  start(): void {
    for (const { subscription, freshness, redriver } of this.#running.values()) {
      subscription.start();
      redriver.start();
      this.#followers.push(followWatermarks(this.core.log, freshness, this.#following.signal, this.logger));
    }
  }

  async stop(): Promise<void> {
    this.#following.abort();
    await Promise.all([...[...this.#running.values()].flatMap(({ subscription, redriver }) => [subscription.stop(), redriver.stop()]), ...this.#followers]);
    await Promise.all(this.queues.map((queue) => queue.close()));
    await this.#store?.close();
  }

  letters(name: string): ReactionDeadLetters | undefined {
    return this.#running.has(name) ? new ReactionDeadLetters(name, this.#store!, this.core.log, this.core.schemas) : undefined;
  }

  /** A re-drive was asked for. */
  wake(name: string): void {
    this.#running.get(name)?.redriver.wake();
  }

  status(): (SubscriptionStatus & { duplicates: number })[] {
    return [...this.#running.values()].map(({ subscription, live }) => ({ ...subscription.status, duplicates: live.counts.duplicates }));
  }
}

export interface ReactionsChoice<Args extends unknown[]> {
  name: string;
  inject: readonly unknown[];
  useFactory: (...args: Args) => Reactions;
}

/** The token under which reactions that `provideReactions` registers are injected. */
function tokenOf(name: string): string {
  return `factline reactions ${name}`;
}

/** Registers reactions that are plain functions, in `providers` of a module: `reactions({...}).on(...)`, or a factory of them with what they need injected. */
export function provideReactions<Args extends unknown[]>(given: Reactions | ReactionsChoice<Args>): Provider {
  if (!('useFactory' in given)) return { provide: tokenOf(given.name), inject: [ReactionSubscriptions], useFactory: (all: ReactionSubscriptions) => all.add(given) };
  return { provide: tokenOf(given.name), inject: [ReactionSubscriptions, ...(given.inject as [])], useFactory: (all: ReactionSubscriptions, ...args: Args) => all.add(given.useFactory(...args)) };
}

