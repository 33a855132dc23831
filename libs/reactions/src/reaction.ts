import type { ReceivedFact, SelectedFact } from 'factline/contracts';
import { type Backoff, type Duration, FactlineError, milliseconds } from 'factline/kernel';
import { type Tx, identifier } from 'factline/store';
import { ATTEMPTS, BATCH_FACTS, CONCURRENCY, HANDLER_TIMEOUT_MS, RETRY_DELAY_MS, RETRY_MAX_MS, TOGETHER_MAX } from './limits.js';

/** What a handler may know of the run it is in. */
export interface ReactionRun {
  /** Fires when the handler has taken too long: its transaction is rolled back, and what it does after that is lost. Give it to requests to the outside. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Whether this is a dead letter that is tried again. */
  readonly redriven: boolean;
}

/**
 * What is done because of a fact, in one transaction with the note that it was done. Effects in this transaction happen once; effects outside of it may be repeated after a
 * crash: give the fact's id along as an idempotency key.
 */
export type Reaction<Data extends object = object> = (fact: ReceivedFact<Data>, tx: Tx, run: ReactionRun) => unknown;

/** The same for many facts in one transaction, in the order of the log. All of them happened, or none. */
export type BatchReaction<Data extends object = object> = (facts: readonly ReceivedFact<Data>[], tx: Tx, run: ReactionRun) => unknown;

export interface RetryOptions extends Backoff {
  /** Attempts at a fact whose failure says nothing about itself; then it is a dead letter. Default 3. What is `unavailable` is tried for as long as it takes. */
  attempts?: number;
  /** Whether an error passes by itself. Errors of this library say so themselves (`retry`). */
  retryIf?: (error: unknown) => boolean;
}

export interface ReactionOptions {
  /** Stable: name of the group and of the Postgres schema that holds its position. Another name is another subscription, which begins anew. */
  name: string;
  /** Which facts are meant when this subscription is new: all since offset zero, or those from now on. There is no default, for either may be a disaster. */
  from: 'beginning' | 'now';
  /** Handlers that run at once in a process; each holds a database connection. Default 8. */
  concurrency?: number;
  /**
   * Facts of different keys that share a transaction; default 1. Their handlers run beside each other on one connection and their statements travel together, which is several
   * times faster. When one of them fails, all are undone and run again, each half by itself: only for handlers without effects outside the database.
   */
  together?: number;
  /** Default 30 s. */
  timeout?: Duration;
  retry?: RetryOptions;
  /**
   * Waited for before each transaction, with the facts that it will hold: for rates. Nothing is held meanwhile but the handler's turn. `stop` fires when nothing is to be
   * begun any more. What it throws counts as a failure of the facts.
   */
  pace?: (facts: number, stop: AbortSignal) => Promise<void>;
}

/** A handler as it is run: of one fact, or of up to `facts` of them. */
export interface Handler {
  readonly fact: SelectedFact;
  readonly facts: number;
  run(facts: readonly ReceivedFact[], tx: Tx, run: ReactionRun): unknown;
}

/** What `reactions()` makes: one subscription and its handlers. */
export class Reactions {
  readonly handlers = new Map<string, Handler>();
  readonly name: string;
  readonly from: 'beginning' | 'now';
  readonly concurrency: number;
  readonly together: number;
  readonly timeoutMs: number;
  readonly pace: ReactionOptions['pace'];
  readonly retry: Required<Pick<RetryOptions, 'attempts' | 'delay' | 'maxDelay' | 'retryIf'>> & RetryOptions;

  constructor(options: ReactionOptions) {
    this.name = options.name;
    this.from = options.from;
    this.concurrency = options.concurrency ?? CONCURRENCY;
    this.together = options.together ?? 1;
    this.timeoutMs = milliseconds(options.timeout ?? HANDLER_TIMEOUT_MS);
    this.pace = options.pace;
    this.retry = { ...options.retry, attempts: options.retry?.attempts ?? ATTEMPTS, delay: options.retry?.delay ?? RETRY_DELAY_MS, maxDelay: options.retry?.maxDelay ?? RETRY_MAX_MS, retryIf: options.retry?.retryIf ?? (() => false) };
  }

  /** What is done because of a fact of this type. Facts of types not named here pass by without being decoded. */
  on<Data extends object>(fact: SelectedFact<Data>, reaction: Reaction<Data>): this {
    return this.#add({ fact, facts: 1, run: ([one], tx, run) => reaction(one as ReceivedFact<Data>, tx, run) });
  }

  /** The same for up to `facts` of them at once (default 500), of many keys: for effects that are written faster together. When it fails, it is run for fewer, down to the one that fails. */
  onBatch<Data extends object>(fact: SelectedFact<Data>, reaction: BatchReaction<Data>, { facts = BATCH_FACTS }: { facts?: number } = {}): this {
    return this.#add({ fact, facts, run: (all, tx, run) => reaction(all as readonly ReceivedFact<Data>[], tx, run) });
  }

  #add(handler: Handler): this {
    const { factName } = handler.fact;
    if (this.handlers.has(factName)) throw invalid(this.name, `'${factName}' has two handlers`, 'Write one; when both must happen, in one transaction, call one from the other, and otherwise give each a subscription of its own.');
    this.handlers.set(factName, handler);
    return this;
  }

  get facts(): SelectedFact[] {
    return [...this.handlers.values()].map(({ fact }) => fact);
  }

  get topics(): string[] {
    return [...new Set(this.facts.map(({ topic }) => topic))];
  }
}

/**
 * Declares what is done because of facts: handlers with effects, each in one transaction with the note that it ran.
 * Promised: facts of a key are handled in their order, each in effect once; keys run beside each other; a fact that fails blocks its key and nothing else; never run by a rebuild.
 * Not promised: order between keys, and that an effect outside the database happens once.
 * @throws FactlineError `reaction.invalid` (configuration).
 */
export function reactions(options: ReactionOptions): Reactions {
  const { name, from, concurrency = 1, together = 1, retry = {} } = options;
  identifier(name);
  if (name.length > 40) throw invalid(name, 'its name is longer than 40 letters', 'Choose a shorter one.');
  if (!['beginning', 'now'].includes(from)) throw invalid(name, "`from` is neither 'beginning' nor 'now'", "Say which facts are meant when it is new: from: 'now' for mails, from: 'beginning' for what must know all.");
  if (!(Number.isSafeInteger(concurrency) && concurrency > 0)) throw invalid(name, '`concurrency` is not a whole number from 1', 'Leave it out for 8.');
  if (!(Number.isSafeInteger(together) && together > 0 && together <= TOGETHER_MAX)) throw invalid(name, `\`together\` is not a whole number from 1 to ${TOGETHER_MAX}`, 'Leave it out for 1.');
  if (!(Number.isSafeInteger(retry.attempts ?? 1) && (retry.attempts ?? 1) > 0)) throw invalid(name, '`retry.attempts` is not a whole number from 1', 'Leave it out for 3.');
  return new Reactions(options);
}

function invalid(name: string, fault: string, advice: string): FactlineError {
  return new FactlineError({ code: 'reaction.invalid', kind: 'configuration', message: `The reactions '${name}' cannot be used: ${fault}.`, advice });
}
