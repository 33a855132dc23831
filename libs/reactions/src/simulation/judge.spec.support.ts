import type { LogRecord } from 'factline/log';
import { sequenceOf } from 'factline/contracts';
import type { Stated } from './stated.spec.support.js';

/** What a handler wrote. */
export interface Noted {
  key: string;
  sequence: number;
  what: string;
  redriven: boolean;
}

interface Letter {
  partition: number;
  offset: number;
  code: string | null;
  key: string;
}

/** What is wrong, by invariant. */
export interface Verdict {
  /** In effect more than once. */
  twice: string[];
  /** After a later fact of its key. */
  disordered: string[];
  /** Neither in effect nor kept as a dead letter. */
  lost: string[];
  /** In effect, although an earlier fact of its key waits. */
  overtaking: string[];
  /** A dead letter of what is in effect. */
  doneAndParked: string[];
  letterTwice: string[];
  /** Keys with letters that wait behind nothing. */
  behindNothing: string[];
  /** Re-drives whose counts are not those of their keys. */
  miscounted: string[];
  /** Parked, although it failed because of an outage. */
  outageParked: string[];
  beyondList: string[];
  halted: string[];
}

export const SOUND: Verdict = { twice: [], disordered: [], lost: [], overtaking: [], doneAndParked: [], letterTwice: [], behindNothing: [], miscounted: [], outageParked: [], beyondList: [], halted: [] };

export interface Story {
  history: readonly Stated[];
  journal: readonly Noted[];
  letters: readonly Letter[];
  redrives: readonly { tried: unknown; failed: unknown; state: unknown; keys: readonly unknown[] }[];
  records(partition: number): readonly LogRecord[];
}

/** Judges what is there when everything has been read, without the code under test. */
export function verdictOf({ history, journal, letters, redrives, records }: Story): Verdict {
  const verdict: Verdict = { twice: [], disordered: [], lost: [], overtaking: [], doneAndParked: [], letterTwice: [], behindNothing: [], miscounted: [], outageParked: [], beyondList: [], halted: [] };
  for (const key of new Set(history.map((stated) => stated.key))) {
    const facts = history.filter((stated) => stated.key === key && stated.kind !== 'Garbage');
    const waiting = letters.filter((letter) => letter.key === key).toSorted((one, other) => one.offset - other.offset);
    const parked = new Set(waiting.map(({ partition, offset }) => numberIn(records(partition)[offset]!)));
    for (const what of ['row', 'fact']) {
      const done = journal.filter((noted) => noted.key === key && noted.what === what).map(({ sequence }) => sequence);
      if (new Set(done).size < done.length) verdict.twice.push(key);
      if (done.some((sequence, at) => at > 0 && sequence < done[at - 1]!)) verdict.disordered.push(key);
      if (facts.some(({ sequence, kind }) => kind === 'Paid' && !done.includes(sequence) && !parked.has(sequence))) verdict.lost.push(key);
      if (waiting[0] && done.some((sequence) => sequence > positionOf(waiting[0]!, records))) verdict.overtaking.push(key);
      if (done.some((sequence) => parked.has(sequence) && !isRepetition(waiting, sequence, records))) verdict.doneAndParked.push(key);
    }
    if (new Set(waiting.map(({ offset }) => offset)).size < waiting.length) verdict.letterTwice.push(key);
    if (waiting[0]?.code === null) verdict.behindNothing.push(key);
  }
  verdict.outageParked.push(...letters.flatMap(({ code, key }) => (code === 'spec.away' ? [key] : [])));
  for (const [at, { tried, failed, state, keys }] of redrives.entries()) {
    const ended = keys.filter((each) => each !== null).length;
    if (tried !== ended || failed !== keys.filter((each) => each === 'blocked').length || (state === 'done' && ended < keys.length)) verdict.miscounted.push(String(at + 1));
  }
  return verdict;
}

function numberIn({ value }: LogRecord): number | undefined {
  try {
    return sequenceOf(value);
  } catch {
    return undefined;
  }
}

/** Where in its key a letter stands: behind the last fact before it. */
function positionOf({ partition, offset, key }: Letter, records: Story['records']): number {
  const before = records(partition).slice(0, offset + 1).filter((record) => record.key.toString() === key);
  const own = numberIn(before.at(-1)!);
  return own ?? Math.max(0, ...before.map((record) => numberIn(record) ?? 0));
}

/** A fact that came again while its key was blocked waits like the others, although it is done. */
function isRepetition(waiting: readonly Letter[], sequence: number, records: Story['records']): boolean {
  return waiting.filter(({ partition, offset }) => numberIn(records(partition)[offset]!) === sequence).every(({ code, partition, offset }) => {
    const earlier = records(partition).slice(0, offset);
    return code === null && earlier.some((record) => numberIn(record) === sequence && record.key.equals(records(partition)[offset]!.key));
  });
}
