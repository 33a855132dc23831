import { type ErrorKind, FactlineError, messageOf } from 'factline/kernel';
import type { Reactions } from './reaction.js';

/** A handler that did not end in time: what it waits for may answer the next time. */
export function timedOut(name: string, timeoutMs: number): FactlineError {
  return new FactlineError({
    code: 'reaction.timeout',
    kind: 'unavailable',
    message: `The handler of '${name}' did not end within ${timeoutMs} ms; its transaction is rolled back.`,
    advice: 'Bound what it waits for, give it the signal of its run, or raise `timeout`; long work is a job of its own.',
  });
}

/** Somebody else did it meanwhile, or does: nothing of this transaction stays. */
export function overtaken(): FactlineError {
  return new FactlineError({ code: 'reaction.overtaken', kind: 'fenced', message: 'The key is not where this process left it: another one has handled facts of it.' });
}

export function missing(place: string, seen: number, found: number): FactlineError {
  return new FactlineError({
    code: 'fact.sequence-gap',
    kind: 'integrity',
    message: `A fact is missing at ${place}: after ${seen} comes ${found}.`,
    advice: 'It may come later: requeue then. If it is lost, restore the topic, or give up the facts behind it.',
  });
}

export function reused(place: string, sequence: number): FactlineError {
  return new FactlineError({
    code: 'fact.sequence-reused',
    kind: 'integrity',
    message: `Another fact with sequence ${sequence} was handled before the one at ${place}.`,
    advice: 'The database of the producer was set back, or somebody else writes to the topic: look at both facts.',
  });
}

export function unowned(place: string): FactlineError {
  return new FactlineError({ code: 'fact.without-key', kind: 'integrity', message: `The record at ${place} has no key, so nothing could be blocked behind it.`, advice: 'Find who writes to the topic.' });
}

export function unnumbered(place: string): FactlineError {
  return new FactlineError({ code: 'fact.without-sequence', kind: 'integrity', message: `The record at ${place} has no sequence, so nobody can say which fact of its key it is.`, advice: 'Find who writes to the topic: the relay numbers facts. Edit it, or give it up.' });
}

/** What says nothing about the fact: something is away, somebody else owns it now, or the app is not set up or let in as it should be. */
const WAITS: ReadonlySet<ErrorKind> = new Set(['unavailable', 'fenced', 'configuration']);

/**
 * What to do about a failure. `wait`: it says nothing about the fact, and passes by itself: retried for as long as it takes, never a dead letter. `retry`: nobody knows:
 * tried `attempts` times. `park`: it fails today and tomorrow.
 */
export function verdictOf(error: unknown, { retry }: Reactions): 'wait' | 'retry' | 'park' {
  // `store.outcome-unknown` is unavailable and not worth a blind retry: here the inbox answers it.
  if (error instanceof FactlineError) return error.retry || WAITS.has(error.kind) || retry.retryIf(error) ? 'wait' : 'park';
  return retry.retryIf(error) ? 'wait' : 'retry';
}

/** Anything thrown, as an error that can be kept with a dead letter. */
export function asFactlineError(error: unknown, name: string): FactlineError {
  if (error instanceof FactlineError) return error;
  return new FactlineError({ code: 'reaction.failed', kind: 'internal', message: `The handler of '${name}' threw: ${messageOf(error)}`, advice: 'Correct it, deploy, and requeue.', cause: error });
}
