import { type Committed, type History, type OnTopic, ofType } from '../history.js';
import { type Checker, type Finding, grouped } from './finding.js';

const place = ({ key, sequence }: { key: string; sequence: number }) => `${key}/${sequence}`;
const at = ({ partition, offset }: OnTopic) => `[${partition}]@${offset}`;

/** Records of the last scan that are facts. */
export function facts(history: History): OnTopic[] {
  return ofType(history, 'record').filter(({ id }) => id !== '');
}

/** Set difference: what committed is on the topic or still waits; what was answered as done had committed; what was seen is still there. */
export const lostFacts: Checker = {
  invariant: 'INV-1',
  says: 'no committed fact is lost',
  check(history) {
    const there = new Set(facts(history).map(({ id }) => id));
    const waiting = new Set(ofType(history, 'pending').map(place));
    const committed = ofType(history, 'committed');
    const values = new Set(committed.map(({ value }) => value));
    const offsets = new Set(ofType(history, 'record').map(at));
    const found = (what: string): Finding => ({ invariant: 'INV-1', class: 'lost-write', what });
    return [
      ...committed.filter((fact) => !there.has(fact.id) && !waiting.has(place(fact))).map((fact) => found(`${place(fact)} (${fact.id}) committed and is not on the topic`)),
      ...answered(history).filter(({ value }) => !values.has(value)).map(({ op, key, value }) => found(`operation ${op}: ${value} of ${key} was answered as done and no fact has it`)),
      ...ofType(history, 'polled').filter((record) => !offsets.has(at(record))).map((record) => found(`${place(record)} was polled at ${at(record)} and is not there any more`)),
    ];
  },
};

function answered(history: History): { op: number; key: string; value: number }[] {
  const writes = new Map(ofType(history, 'invoke').map((invoke) => [invoke.op, invoke]));
  return ofType(history, 'complete').flatMap(({ op, outcome }) => {
    const { key, value } = writes.get(op) ?? {};
    return outcome === 'ok' && key !== undefined && value !== undefined ? [{ op, key, value }] : [];
  });
}

/** Reverse difference: Jepsen's aborted read, a value of a transaction that never committed. */
export const phantoms: Checker = {
  invariant: 'INV-2',
  says: 'no fact on the topic without a committed origin',
  check(history) {
    const origin = new Map(ofType(history, 'committed').map((fact): [string, Committed] => [fact.id, fact]));
    return facts(history).flatMap((record) => {
      const fact = origin.get(record.id);
      const same = fact?.key === record.key && fact.sequence === record.sequence;
      return same ? [] : [{ invariant: 'INV-2', class: 'aborted-read' as const, what: `${place(record)} at ${at(record)} (${record.id}) never committed${fact ? ` so: it committed as ${place(fact)}` : ''}` }];
    });
  },
};

/** A stretch may be repeated after a crash, with the same ids; without repetitions the numbers of a key are 1, 2, 3 ... */
export const inversions: Checker = {
  invariant: 'INV-3',
  says: 'the numbers of a key rise by exactly 1',
  check(history) {
    const findings: Finding[] = [];
    for (const [key, records] of grouped(facts(history), (record) => record.key)) {
      const known = new Set<string>();
      let last = 0;
      for (const record of inOrder(records)) {
        if (known.has(record.id)) continue;
        known.add(record.id);
        if (record.sequence !== last + 1) findings.push({ invariant: 'INV-3', class: 'inversion', what: `${key}: number ${record.sequence} at ${at(record)} follows number ${last}` });
        last = Math.max(last, record.sequence);
      }
    }
    return findings;
  },
};

/** By offset; a key in two partitions is found by another checker, and has no order. */
export function inOrder(records: readonly OnTopic[]): OnTopic[] {
  return records.toSorted((one, other) => one.partition - other.partition || one.offset - other.offset);
}

export const strays: Checker = {
  invariant: 'INV-4',
  says: 'a key is in one partition',
  check(history) {
    return [...grouped(facts(history), ({ key }) => key)].flatMap(([key, records]) => {
      const partitions = [...new Set(records.map(({ partition }) => partition))];
      return partitions.length === 1 ? [] : [{ invariant: 'INV-4', class: 'two-partitions' as const, what: `${key} is in partitions ${partitions.join(', ')}` }];
    });
  },
};

/** Everybody who reads an offset reads the same. */
export const inconsistentOffsets: Checker = {
  invariant: 'INV-1',
  says: 'an offset holds one fact for ever',
  check(history) {
    const held = new Map<string, string>();
    return ofType(history, 'polled', 'record').flatMap((record) => {
      const before = held.get(at(record));
      held.set(at(record), record.id);
      return before === undefined || before === record.id ? [] : [{ invariant: 'INV-1', class: 'inconsistent-offsets' as const, what: `${at(record)} held ${before}, then ${record.id}` }];
    });
  },
};
