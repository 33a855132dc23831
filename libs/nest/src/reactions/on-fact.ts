import { Controller, type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { PARAM_ARGS_METADATA } from '@nestjs/microservices/constants.js';
import type { HandlingOptions } from 'factline/commands';
import type { ReceivedFact, SelectedCommand, SelectedFact } from 'factline/contracts';
import type { ReactionOptions, ReactionRun } from 'factline/reactions';
import type { Tx } from 'factline/store';

/** Only our transport binds these handlers, whatever other microservices an app connects. */
export const FACTS_TRANSPORT = Symbol('factline facts');

/** What a decorated method says of itself, found again by the transport. */
export interface OnFactExtras {
  readonly factline: { readonly fact: SelectedFact | SelectedCommand; readonly controller: object; readonly method: string; readonly batch: number | undefined; readonly handling?: HandlingOptions };
}

const subscriptions = new WeakMap<object, ReactionOptions>();
const runs = new WeakMap<object, ReactionRun>();

/** Of a controller class; undefined when it is not decorated. */
export function subscriptionOf(controller: object): ReactionOptions | undefined {
  return subscriptions.get(controller);
}

/** Lets `@Run()` find the run of a transaction. */
export function bindRun(tx: Tx, run: ReactionRun): void {
  runs.set(tx, run);
}

/**
 * A controller whose methods react to facts (`@OnFact`), as one subscription: one position, one group, one retry rule. Its guards, pipes, interceptors and filters work as on
 * any microservice controller; their context is `rpc`, with the fact as data and the transaction as context.
 * `name` is stable: another name is another subscription, which begins anew. `from` has no default, for either may be a disaster.
 */
export function ReactionController(options: ReactionOptions): ClassDecorator {
  return (target) => {
    subscriptions.set(target, options);
    Controller()(target);
  };
}

type FactMethod<Data extends object> = (fact: ReceivedFact<Data>, tx: Tx, run: ReactionRun) => unknown;
type FactsMethod<Data extends object> = (facts: readonly ReceivedFact<Data>[], tx: Tx, run: ReactionRun) => unknown;
export type MethodOf<Method> = <M extends Method>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>) => void;

/**
 * `confirm(fact, tx, run)`: what is done because of a fact, in one transaction with the note that it was done; what it adds to the outbox commits with it.
 * It may be called again after a failure; effects outside the database may happen again after a crash. Never called by a rebuild.
 */
export function OnFact<Data extends object>(fact: SelectedFact<Data>): MethodOf<FactMethod<Data>> {
  return handlerOf(fact, undefined);
}

/** `all(facts, tx, run)`: up to `facts` (default 500) of them, of many keys, in one transaction; when it fails, it is called for fewer, down to the one that fails. */
export function OnFacts<Data extends object>(fact: SelectedFact<Data>, { facts = 500 }: { facts?: number } = {}): MethodOf<FactsMethod<Data>> {
  return handlerOf(fact, facts);
}

/** The run a handler is in: its abort signal, attempt, and whether it is re-driven. For handlers that decorate their parameters themselves. */
export const Run = createParamDecorator((_data: unknown, host: ExecutionContext) => runs.get(host.switchToRpc().getContext<Tx>()));

/** What both kinds of handlers are for Nest: an event pattern of our transport, with the record, the transaction and the run as parameters. */
export function handlerOf(fact: SelectedFact | SelectedCommand, batch: number | undefined, handling?: HandlingOptions): MethodOf<never> {
  return (target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<never>) => {
    const method = String(key);
    const extras: OnFactExtras = { factline: { fact, controller: target.constructor, method, batch, ...(handling && { handling }) } };
    EventPattern({ fact: fact.factName, handler: `${target.constructor.name}.${method}` }, FACTS_TRANSPORT, extras)(target, key, descriptor);
    if (Reflect.hasMetadata(PARAM_ARGS_METADATA, target.constructor, key)) return;
    // Without these Nest would pass the fact alone.
    for (const [index, decorate] of [Payload(), Ctx(), Run()].entries()) decorate(target, key, index);
  };
}
