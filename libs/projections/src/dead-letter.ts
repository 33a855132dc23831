import { sequenceOf } from 'factline/contracts';
import { FactlineError, formatId, grouped } from 'factline/kernel';
import type { FactLog, LogRecord } from 'factline/log';
import { READ_ALONG } from './limits.js';

/** A fact that a read model could not apply, or that waits behind one of its key. Its value lies in the log. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly factId: string | null;
  /** Why it could not be applied; null: it waits. */
  readonly code: string | null;
  readonly reason: string | null;
  readonly parkedAt: Date;
  /** Sequence of the last fact of the key before it, when that is known. */
  readonly seen: number | null;
}

/** Records of dead letters by their place. */
export type Records = ReadonlyMap<string, LogRecord>;

export function placeOf({ topic, partition, offset }: Pick<DeadLetter, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`;
}

/** As it is stored. */
export interface LetterRow {
  topic: string;
  partition: number;
  record_offset: string;
  key: string;
  fact_id: Buffer | null;
  code: string | null;
  reason: string | null;
  parked_at: Date;
  seen: string | null;
}

export const LETTER_COLUMNS = 'topic, partition, record_offset, key, fact_id, code, reason, parked_at, seen';

/** As their producer numbered them: where a fact was missing and came later, the log has another order. What has no number stays behind the one before it. */
export function inSequence(letters: readonly DeadLetter[], records: Records): { letter: DeadLetter; record: LogRecord }[] {
  let rank = 0;
  const ranked = letters.map((letter) => {
    const record = recordOf(letter, records);
    rank = numberOf(record) ?? rank;
    return { letter, record, rank };
  });
  return ranked.toSorted((one, other) => one.rank - other.rank || one.letter.offset - other.letter.offset);
}

function numberOf({ value }: LogRecord): number | undefined {
  try {
    return sequenceOf(value);
  } catch {
    return undefined; // no fact, which is why it is here
  }
}

function recordOf({ topic, partition, offset }: DeadLetter, records: Records): LogRecord {
  const record = records.get(placeOf({ topic, partition, offset }));
  if (record) return record;
  throw new FactlineError({
    code: 'dead-letters.gone',
    kind: 'integrity',
    message: `The fact at ${topic}[${partition}] offset ${offset} is not in the log any more.`,
    advice: 'Topics of facts keep everything: restore it, or give the key up with factline dead-letters purge.',
  });
}

export function letterOf({ topic, partition, record_offset: offset, key, fact_id: id, code, reason, parked_at: parkedAt, seen }: LetterRow): DeadLetter {
  return { topic, partition, offset: Number(offset), key, factId: id && formatId(id), code, reason, parkedAt, seen: seen === null ? null : Number(seen) };
}

/** The records of these letters from the log, beside those that are known. Where they lie close together, what is between them is read along. */
export async function readRecords(log: FactLog, letters: readonly DeadLetter[], known: Records = new Map()): Promise<Records> {
  const found = new Map(known);
  const missing = letters.filter((letter) => !found.has(placeOf(letter)));
  for (const of of grouped(missing, ({ topic, partition }) => `${topic}/${partition}`).values()) {
    const { topic, partition } = of[0]!;
    const offsets = of.map(({ offset }) => offset).toSorted((one, other) => one - other);
    const wanted = new Set(offsets);
    const [first, last] = [offsets[0]!, offsets.at(-1)!];
    const ranges = last - first < READ_ALONG * offsets.length ? [[first, last + 1] as const] : offsets.map((offset) => [offset, offset + 1] as const);
    for (const [from, to] of ranges) {
      await log.read({
        topic,
        ranges: [{ partition, from, to }],
        batch: ({ records }) => {
          for (const record of records) if (wanted.has(record.offset)) found.set(placeOf({ topic, partition, offset: record.offset }), record);
        },
      });
    }
  }
  return found;
}
