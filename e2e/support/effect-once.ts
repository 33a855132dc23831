import { messageOf } from 'factline/kernel';
import { type StatedFact, byKey, withoutRepetitions } from './employee-topic.js';

/** A fact whose transaction committed, as the producer was told. */
export interface CommittedFact {
  key: string;
  sequence: number;
  /** Hexadecimal, without hyphens. */
  id: string;
  cents: number;
}

/** One row of a tally: what was applied of one key. */
export interface TallyRow {
  key: string;
  facts: number;
  lastSequence: number;
  cents: number;
}

/**
 * What is wrong with a topic, given all that was committed and how often its relay was killed: every committed fact is there and nothing else, and each key's
 * facts come as 1, 2, 3 ... A kill may make each key begin once more at an earlier number, and go on from there without a hole.
 */
export function topicFaults(committed: readonly CommittedFact[], found: readonly StatedFact[], kills: number): string[] {
  const right = new Map(committed.map((fact) => [place(fact), fact]));
  const faults: string[] = [];
  for (const [key, facts] of byKey(found)) {
    let last = 0;
    let repetitions = 0;
    for (const fact of facts) {
      const known = right.get(place(fact));
      if (known?.id !== fact.id || known.cents !== fact.data['salaryCents']) faults.push(`${place(fact)} at offset ${fact.offset} was never committed`);
      if (fact.sequence > last + 1) faults.push(`${place(fact)} at offset ${fact.offset} follows number ${last}`);
      if (fact.sequence <= last) repetitions++;
      last = fact.sequence;
    }
    if (repetitions > kills) faults.push(`${key} began again ${repetitions} times, with ${kills} kills`);
  }
  const there = new Set(found.map(place));
  return [...faults, ...committed.filter((fact) => !there.has(place(fact))).map((fact) => `${place(fact)} is missing`)];
}

/**
 * The same for a topic on which a stale relay may have repeated anything at any moment: without repetitions each key's facts come as 1, 2, 3 ..., and they are
 * the committed ones.
 */
export function topicFaultsWithoutRepetitions(committed: readonly CommittedFact[], found: readonly StatedFact[]): string[] {
  try {
    return topicFaults(committed, [...byKey(found).values()].flatMap(withoutRepetitions), 0);
  } catch (error) {
    return [messageOf(error)];
  }
}

/** What is wrong with a tally, given all that was committed: each fact counts once. */
export function tableFaults(committed: readonly CommittedFact[], rows: readonly TallyRow[]): string[] {
  const right = new Map<string, TallyRow>();
  for (const { key, sequence, cents } of committed) {
    const before = right.get(key);
    right.set(key, { key, facts: (before?.facts ?? 0) + 1, lastSequence: Math.max(before?.lastSequence ?? 0, sequence), cents: (before?.cents ?? 0) + cents });
  }
  const found = new Map(rows.map((row) => [row.key, row]));
  return [...new Set([...right.keys(), ...found.keys()])].flatMap((key) => {
    const [is, should] = [told(found.get(key)), told(right.get(key))];
    return is === should ? [] : [`${key} has ${is}, not ${should}`];
  });
}

function place({ key, sequence }: { key: string; sequence: number }): string {
  return `${key}/${sequence}`;
}

function told(row: TallyRow | undefined): string {
  return row ? `${row.facts} facts up to number ${row.lastSequence} with ${row.cents} cents` : 'nothing';
}
