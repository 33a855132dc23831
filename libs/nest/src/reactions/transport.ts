import { type ArgumentsHost, Catch, HttpException, Injectable, type RpcExceptionFilter } from '@nestjs/common';
import { type CustomTransportStrategy, type MessageHandler, RpcException, Server } from '@nestjs/microservices';
import { FactlineError, messageOf } from 'factline/kernel';
import type { CommandQueue } from 'factline/commands';
import { type ReactionRun, type Reactions, reactions } from 'factline/reactions';
import type { Tx } from 'factline/store';
import { type Observable, isObservable, lastValueFrom, throwError } from 'rxjs';
import { CommandHandlers, refuseSilent } from '../commands/handlers.js';
import { FACTS_TRANSPORT, type OnFactExtras, bindRun, subscriptionOf } from './on-fact.js';

/** Nest would put "Internal server error" in the place of an exception that no filter takes; what failed decides here what is done about it. */
@Catch()
export class KeepException implements RpcExceptionFilter {
  catch(exception: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => exception);
  }
}

/**
 * Nest's microservice strategy for facts: it collects the `@OnFact` handlers as Nest wraps them (guards, pipes, interceptors, filters), as subscriptions of reactions.
 * An exception reaches the subscription as it was thrown, unless a filter of the app takes it: what a filter answers counts as handled.
 */
@Injectable()
export class FactTransport extends Server implements CustomTransportStrategy {
  override transportId = FACTS_TRANSPORT;

  /** Subscriptions start with the app; there is nothing else to listen to. */
  listen(callback: () => void): void {
    callback();
  }

  close(): void {}

  on(): never {
    throw new Error('The transport of facts has no events; the state of subscriptions is in /health.');
  }

  unwrap(): never {
    throw new Error('The transport of facts has no client; inject FACT_LOG instead.');
  }

  /**
   * One subscription for each `@ReactionController`, with its handlers.
   * @param controllers all of the app: one whose handlers were never bound would react to nothing, silently.
   * @throws FactlineError `nest.reaction-controller`, `nest.facts-unconnected`, `reaction.invalid` (configuration).
   */
  subscriptions(controllers: readonly object[]): Reactions[] {
    const made = new Map<object, Reactions>();
    for (const handler of this.getHandlers().values()) {
      const { fact, controller, method, batch } = (handler.extras as OnFactExtras).factline;
      if (fact.command) continue;
      const options = subscriptionOf(controller);
      if (!options) throw undecorated(controller, method);
      let subscription = made.get(controller);
      if (!subscription) made.set(controller, (subscription = reactions(options)));
      if (batch === undefined) subscription.on(fact, (one, tx, run) => call(handler, one, tx, run));
      else subscription.onBatch(fact, (all, tx, run) => call(handler, all, tx, run), { facts: batch });
    }
    const silent = controllers.find((controller) => subscriptionOf(controller) && !made.has(controller));
    if (silent) throw unconnected(silent);
    return [...made.values()];
  }

  /**
   * One queue for each `@CommandController`, with its handlers.
   * @throws FactlineError `nest.command-controller`, `nest.command-options`, `command.queue-invalid` (configuration).
   */
  queues(controllers: readonly object[]): CommandQueue[] {
    const made = new Map<object, CommandHandlers>();
    for (const handler of this.getHandlers().values()) {
      const { fact, controller, method, handling } = (handler.extras as OnFactExtras).factline;
      if (!fact.command) continue;
      let handlers = made.get(controller);
      if (!handlers) made.set(controller, (handlers = new CommandHandlers(controller, method)));
      handlers.add(fact, handling ?? {}, (command, tx, run) => call(handler, command, tx, run));
    }
    refuseSilent(controllers, made);
    return [...made.values()].map((handlers) => handlers.queue());
  }
}

/** @returns what the handler answered; of an observable, its last value. */
async function call(handler: MessageHandler, data: unknown, tx: Tx, run: ReactionRun): Promise<unknown> {
  bindRun(tx, run);
  try {
    const result: unknown = await handler(data, tx);
    return isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
  } catch (error) {
    throw decided(error);
  }
}

/** Statuses that say it passes: too slow, too early, too many, something behind it is away. */
const PASSES: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/** A guard's no and a pipe's complaint are the same tomorrow: they carry that as their status. What is away says so the same way. */
function decided(error: unknown): unknown {
  if (error instanceof HttpException && PASSES.has(error.getStatus())) {
    return new FactlineError({ code: 'reaction.away', kind: 'unavailable', message: `What a handler needs is away: ${messageOf(error)}`, advice: 'Bring it back; it goes on by itself.', cause: error });
  }
  const refused = error instanceof RpcException || (error instanceof HttpException && error.getStatus() < 500);
  if (!refused) return error;
  return new FactlineError({ code: 'reaction.refused', kind: 'refused', message: `A guard or a pipe refuses the fact: ${messageOf(error)}`, advice: 'Correct it, or give the fact up.', cause: error });
}

function undecorated(controller: object, method: string): FactlineError {
  const { name } = controller as { name: string };
  return new FactlineError({
    code: 'nest.reaction-controller',
    kind: 'configuration',
    message: `${name}.${method} reacts to facts, and ${name} does not say as which subscription.`,
    advice: `Decorate the class with @ReactionController({ name: '...', from: 'now' }) instead of @Controller().`,
  });
}

function unconnected(controller: object): FactlineError {
  const { name } = controller as { name: string };
  return new FactlineError({
    code: 'nest.facts-unconnected',
    kind: 'configuration',
    message: `${name} is a @ReactionController, and none of its methods is bound to a fact.`,
    advice: 'Decorate a method with @OnFact; in an app that is not started by startService, call connectFacts(app) of factline/nest/reactions before app.listen().',
  });
}
