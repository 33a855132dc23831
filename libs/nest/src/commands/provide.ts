import type { Provider } from '@nestjs/common';
import type { CommandQueue } from 'factline/commands';
import { ReactionSubscriptions } from '../reactions/subscriptions.js';

export interface CommandsChoice<Args extends unknown[]> {
  queue: string;
  inject: readonly unknown[];
  useFactory: (...args: Args) => CommandQueue;
}

/** Registers a queue whose handlers are plain functions, in `providers` of a module: `commandQueue({...}).on(...)`, or a factory of it with what it needs injected. */
export function provideCommands<Args extends unknown[]>(given: CommandQueue | CommandsChoice<Args>): Provider {
  const provide = `factline commands ${given.queue}`;
  if (!('useFactory' in given)) return { provide, inject: [ReactionSubscriptions], useFactory: (all: ReactionSubscriptions) => all.addQueue(given) };
  return { provide, inject: [ReactionSubscriptions, ...(given.inject as [])], useFactory: (all: ReactionSubscriptions, ...args: Args) => all.addQueue(given.useFactory(...args)) };
}
