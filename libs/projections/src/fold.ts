import { type FactDecoder, type ReceivedFact, factIdOf, sequenceOf } from 'factline/contracts';
import { FactlineError, messageOf } from 'factline/kernel';
import type { LogRecord } from 'factline/log';
import type { Fold, Projection } from './projection.js';

/** What is known of one key. */
export interface KeyState {
  /** null: no row. */
  row: object | null;
  /** Sequence of the last selected fact folded into it; 0: none yet. */
  sequence: number;
  /** Highest sequence seen of any fact of the key, selected or not; 0: unknown, because the row came from the database. */
  seen: number;
}

export interface FoldScope {
  topic: string;
  partition: number;
  /** Folding from offset zero: every key must then begin with sequence 1, or history is incomplete. */
  fromZero: boolean;
}

/**
 * Applies records to the states of their keys, in order.
 * A fact at or below its key's sequence is a duplicate and dropped, whatever its age; one that skips a number proves that a fact is missing.
 */
export class Folder {
  readonly #folds: ReadonlyMap<string, Fold<object, object>>;
  duplicates = 0;
  folded = 0;

  constructor(
    readonly projection: Projection,
    private readonly decoder: Pick<FactDecoder, 'decode'>,
  ) {
    this.#folds = new Map([...projection.folds].map(([name, { fold }]) => [name, fold]));
  }

  /** A fact that was given up: nothing of it is in the row, and the next one of its key is no hole. */
  passOver(state: KeyState, { value }: LogRecord): void {
    try {
      state.seen = Math.max(state.seen, sequenceOf(value));
    } catch {
      // no fact, which is why it was given up
    }
  }

  /** @returns whether the state changed. @throws FactlineError `fact.sequence-gap`, `projection.fold-failed`, and what the decoder throws; all stop the partition. */
  fold(state: KeyState, key: string, record: LogRecord, scope: FoldScope): boolean {
    const value = record.value;
    if (value === null) throw unreadable(record, scope);
    let sequence: number;
    try {
      sequence = sequenceOf(value);
    } catch (error) {
      throw located(error, record, scope);
    }
    if (sequence <= state.seen || sequence <= state.sequence) {
      this.duplicates++;
      return false;
    }
    if ((state.seen > 0 || scope.fromZero) && sequence !== state.seen + 1) throw sequenceGap(record, scope, state.seen, sequence);
    state.seen = sequence;
    let fact: ReceivedFact | undefined;
    try {
      fact = this.decoder.decode(key, value);
    } catch (error) {
      throw located(error, record, scope);
    }
    if (fact === undefined) return false;
    const fold = this.#folds.get(fact.name);
    if (!fold) return false;
    let next: object | null;
    try {
      next = fold(state.row, fact);
    } catch (error) {
      throw foldFailed(this.projection, fact.name, record, scope, error);
    }
    this.folded++;
    const unborn = state.row === null && next === null;
    state.row = next ?? null;
    if (!unborn) state.sequence = sequence;
    return !unborn;
  }
}

function place(record: LogRecord, { topic, partition }: FoldScope) {
  return { topic, partition, offset: record.offset, ...(record.value && { factId: Buffer.from(factIdOf(record.value)).toString('hex') }) };
}

/** The decoder knows bytes, not where they lie: whoever has to find the record needs its place. */
function located(error: unknown, record: LogRecord, scope: FoldScope): unknown {
  if (!(error instanceof FactlineError)) return error;
  const { code, kind, retry, advice, details, message } = error;
  return new FactlineError({
    code,
    kind,
    retry,
    message: `${scope.topic}[${scope.partition}] offset ${record.offset}: ${message}`,
    ...(advice !== undefined && { advice }),
    details: { ...details, topic: scope.topic, partition: scope.partition, offset: record.offset },
    cause: error,
  });
}

function unreadable(record: LogRecord, scope: FoldScope): FactlineError {
  return new FactlineError({
    code: 'fact.undecodable',
    kind: 'integrity',
    message: `The record at ${scope.topic}[${scope.partition}] offset ${record.offset} has no value.`,
    advice: 'A topic of facts holds no deletions; find out who wrote it.',
    details: place(record, scope),
  });
}

function sequenceGap(record: LogRecord, scope: FoldScope, seen: number, sequence: number): FactlineError {
  return new FactlineError({
    code: 'fact.sequence-gap',
    kind: 'integrity',
    message: `A fact is missing: ${scope.topic}[${scope.partition}] offset ${record.offset} has sequence ${sequence} of its key, expected ${seen + 1}.`,
    advice: 'The history of this key is incomplete: was the topic compacted, truncated, or written by something else than the outbox relay?',
    details: { ...place(record, scope), sequence, expected: seen + 1 },
  });
}

function foldFailed(projection: Projection, fact: string, record: LogRecord, scope: FoldScope, cause: unknown): FactlineError {
  if (cause instanceof FactlineError) return cause;
  return new FactlineError({
    code: 'projection.fold-failed',
    kind: 'integrity',
    message: `The fold of '${projection.name}' failed on ${fact} at ${scope.topic}[${scope.partition}] offset ${record.offset}: ${messageOf(cause)}`,
    advice: 'Correct the fold and restart; the partition waits at this fact.',
    details: { ...place(record, scope), fact },
    cause,
  });
}
