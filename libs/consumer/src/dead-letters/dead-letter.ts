import { factIdOf, sequenceOf } from 'factline/contracts';
import { FactlineError, formatId, grouped } from 'factline/kernel';
import type { FactLog, LogRecord } from 'factline/log';
import { READ_ALONG, REASON_MAX_CHARACTERS } from '../limits.js';

/** A fact that a read model or a reaction could not apply, or that waits behind one of its key. Its value lies in the log. */
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
  /** Its own sequence, when it has one. */
  readonly sequence: number | null;
  /** The schema it was written with, when it is a fact, and was parked by a version of this software that notes it. */
  readonly schemaId: number | null;
}

/** A fact that is not applied: it failed, or a fact of its key before it did. */
export interface Parked {
  readonly record: LogRecord;
  readonly key: string;
  /** Absent: it waits behind one that failed. */
  readonly error?: FactlineError;
  /** Sequence of the last fact of the key before it; 0: unknown. */
  readonly seen?: number;
}

type Place = Pick<DeadLetter, 'topic' | 'partition' | 'offset'>;

/** Records of dead letters. */
export interface Records {
  /** Undefined: not read, or not in the log any more. */
  of(letter: Place): LogRecord | undefined;
  all(): Iterable<LogRecord>;
}

class RecordsByPlace implements Records {
  readonly #records = new Map<string, LogRecord>();

  constructor(private readonly known?: Records) {}

  of(letter: Place): LogRecord | undefined {
    return this.#records.get(placeOf(letter)) ?? this.known?.of(letter);
  }

  all(): Iterable<LogRecord> {
    return [...(this.known?.all() ?? []), ...this.#records.values()];
  }

  add(place: Place, record: LogRecord): void {
    this.#records.set(placeOf(place), record);
  }
}

function placeOf({ topic, partition, offset }: Place): string {
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
  sequence: string | null;
  schema_id: string | null;
}

export const LETTER_COLUMNS = 'topic, partition, record_offset, key, fact_id, code, reason, parked_at, seen, sequence, schema_id';

/** As their producer numbered them: where a fact was missing and came later, the log has another order. What has no number stays behind the one before it. */
export function inSequence(letters: readonly DeadLetter[], records?: Records): DeadLetter[] {
  let rank = 0;
  const ranked = letters.map((letter) => {
    const record = records?.of(letter);
    rank = letter.sequence ?? (record && numberOf(record)) ?? rank;
    return { letter, rank };
  });
  return ranked.toSorted((one, other) => one.rank - other.rank || one.letter.offset - other.letter.offset).map(({ letter }) => letter);
}

/** The sequence of a record, when it is a fact. */
export function numberOf({ value }: LogRecord): number | undefined {
  try {
    return sequenceOf(value);
  } catch {
    return undefined; // no fact, which is why it is here
  }
}

/** The schema that a record was written with, when it is a fact. */
export function writtenWith(record: LogRecord): number | undefined {
  return idOf(record) ? record.value!.readUInt32BE(1) : undefined; // Confluent's wire format: 0x00, then the id
}

/** @throws FactlineError `dead-letters.gone` (integrity). */
export function recordOf({ topic, partition, offset, factId }: DeadLetter, records: Records): LogRecord {
  const record = records.of({ topic, partition, offset });
  const id = record && idOf(record);
  if (record && (id ? formatId(id) : null) === factId) return record; // a topic that was made anew has another fact there
  throw new FactlineError({
    code: 'dead-letters.gone',
    kind: 'integrity',
    message: `The fact at ${topic}[${partition}] offset ${offset} is not in the log any more.`,
    advice: 'Topics of facts keep everything: restore it, or give the key up with factline dead-letters purge.',
  });
}

export function letterOf({ topic, partition, record_offset: offset, key, fact_id: id, code, reason, parked_at: parkedAt, seen, sequence, schema_id: schemaId }: LetterRow): DeadLetter {
  return { topic, partition, offset: Number(offset), key, factId: id && formatId(id), code, reason, parkedAt, seen: number(seen), sequence: number(sequence), schemaId: number(schemaId) };
}

function number(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/** What is kept of an error: as much text as a person reads, and none that Postgres refuses. */
export function reasonOf(error: FactlineError): string {
  return error.message.slice(0, REASON_MAX_CHARACTERS).replaceAll('\0', '');
}

/** Of a record that is a fact, or null: what is too short to be one has none. */
export function idOf({ value }: LogRecord): Buffer | null {
  try {
    return value && Buffer.from(factIdOf(value));
  } catch {
    return null;
  }
}

/** The last record that can be recognised again: what a checkpoint is compared with later. */
export function lastKnown(records: readonly LogRecord[]): { offset: number; id: Buffer } | undefined {
  for (let at = records.length - 1; at >= 0; at--) {
    const id = idOf(records[at]!);
    if (id) return { offset: records[at]!.offset, id };
  }
  return undefined;
}

/** The records of these letters from the log, beside those that are known; those that the log has no more are absent. Where they lie close together, what is between them is read along. */
export async function readRecords(log: FactLog, letters: readonly DeadLetter[], known?: Records): Promise<Records> {
  const found = new RecordsByPlace(known);
  const missing = letters.filter((letter) => !found.of(letter));
  for (const of of grouped(missing, ({ topic, partition }) => `${topic}/${partition}`).values()) {
    const { topic, partition } = of[0]!;
    const offsets = of.map(({ offset }) => offset).toSorted((one, other) => one - other);
    const wanted = new Set(offsets);
    const [first, last] = [offsets[0]!, offsets.at(-1)!];
    const read = async (from: number, to: number) =>
      await log.read({
        topic,
        ranges: [{ partition, from, to }],
        batch: ({ records }) => {
          for (const record of records) if (wanted.has(record.offset)) found.add({ topic, partition, offset: record.offset }, record);
        },
      });
    const together = last - first < READ_ALONG * offsets.length && (await unlessGone(read(first, last + 1)));
    if (!together) for (const offset of offsets) await unlessGone(read(offset, offset + 1));
  }
  return found;
}

/** @returns false: not all of it is in the log. */
async function unlessGone(reading: Promise<void>): Promise<boolean> {
  try {
    await reading;
    return true;
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'log.out-of-range') return false;
    throw error;
  }
}
