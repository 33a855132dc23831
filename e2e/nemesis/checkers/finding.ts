import type { History } from '../history.js';

/** The classes of Jepsen's Kafka workload (jepsen-io/jepsen, tests/kafka.clj), and ours for what a read model can do wrong. */
export type FaultClass =
  | 'lost-write'
  | 'duplicate'
  | 'aborted-read'
  | 'inversion'
  | 'inconsistent-offsets'
  | 'two-partitions'
  | 'nonmonotonic-poll'
  | 'poll-skip'
  | 'unseen'
  | 'doubled-effect'
  | 'wrong-row'
  | 'overtaken-parked'
  | 'not-conserved'
  | 'not-deterministic'
  | 'stale-read'
  | 'unequal-answers'
  | 'failed-but-happened'
  | 'unbounded';

export interface Finding {
  /** `INV-1` */
  invariant: string;
  class: FaultClass;
  what: string;
}

export interface Checker {
  invariant: string;
  /** What must hold, in a few words. */
  says: string;
  check(history: History): Finding[];
}

export function grouped<T>(items: readonly T[], of: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = of(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
