import { type Completed, type History, type Invoked, ofType } from '../history.js';
import { type Checker, type Finding, grouped } from './finding.js';

interface Operation {
  invoke: Invoked;
  complete: Completed;
}

function operations(history: History): Operation[] {
  const completions = new Map(ofType(history, 'complete').map((complete) => [complete.op, complete]));
  return ofType(history, 'invoke').flatMap((invoke) => {
    const complete = completions.get(invoke.op);
    return complete ? [{ invoke, complete }] : [];
  });
}

/** The number of the fact that has a value, within its key. */
function numbers(history: History): ReadonlyMap<number, number> {
  return new Map(ofType(history, 'committed').flatMap(({ value, sequence }) => (value === null ? [] : [[value, sequence] as const])));
}

const reads = (all: readonly Operation[]) => all.filter(({ invoke, complete }) => invoke.action === 'read' && complete.outcome === 'ok');
const writes = (all: readonly Operation[]) => all.filter(({ invoke }) => invoke.action !== 'read');

/** How new a read is: the number of the fact it shows, 0 for nobody. */
function shown({ complete: { value } }: Operation, numberOf: ReadonlyMap<number, number>): number {
  return value == null ? 0 : (numberOf.get(value) ?? 0);
}

/** The highest number of these writes that were answered as done before a time. */
function newestBefore(asOf: number, done: readonly Operation[] | undefined, numberOf: ReadonlyMap<number, number>): number {
  return Math.max(0, ...(done ?? []).filter(({ complete }) => complete.at < asOf).map(({ invoke }) => numberOf.get(invoke.value!) ?? 0));
}

/** An answer contains everything that was answered as done before its as-of time: old data is served, but never unflagged. */
export const staleReads: Checker = {
  invariant: 'INV-11',
  says: 'an answer is no older than it says, and contains the own write it asks for',
  check(history) {
    const all = operations(history);
    const numberOf = numbers(history);
    const done = grouped(writes(all).filter(({ complete }) => complete.outcome === 'ok'), ({ invoke }) => invoke.key);
    const byOp = new Map(all.map((each) => [each.invoke.op, each]));
    const findings: Finding[] = [];
    for (const read of reads(all)) {
      const { op, key, after } = read.invoke;
      const { asOf = 0, value } = read.complete;
      const newest = newestBefore(asOf, done.get(key), numberOf);
      const own = after === undefined ? 0 : (numberOf.get(byOp.get(after)?.invoke.value ?? -1) ?? 0);
      const is = shown(read, numberOf);
      if (is < newest) findings.push({ invariant: 'INV-11', class: 'stale-read', what: `read ${op}: ${key} showed ${value} (number ${is}) as of ${asOf}, number ${newest} was done before` });
      if (is < own) findings.push({ invariant: 'INV-11', class: 'stale-read', what: `read ${op}: ${key} showed ${value} (number ${is}) after the own write of number ${own}` });
    }
    return findings;
  },
};

/** A read that began after another ended never shows an older fact of the key, whichever process answered. */
export const readsGoForward: Checker = {
  invariant: 'INV-11',
  says: 'reads of a key never go back',
  check(history) {
    const numberOf = numbers(history);
    const findings: Finding[] = [];
    for (const [key, of] of grouped(reads(operations(history)), ({ invoke }) => invoke.key)) {
      const ended = of.toSorted((one, other) => one.complete.at - other.complete.at);
      let [newest, next] = [0, 0];
      for (const read of of.toSorted((one, other) => one.invoke.at - other.invoke.at)) {
        for (; ended[next] && ended[next]!.complete.at < read.invoke.at; next++) newest = Math.max(newest, shown(ended[next]!, numberOf));
        const is = shown(read, numberOf);
        if (is < newest) findings.push({ invariant: 'INV-11', class: 'nonmonotonic-poll', what: `read ${read.invoke.op}: ${key} showed number ${is} after number ${newest}` });
      }
    }
    return findings;
  },
};

/** As `staleReads`, of what a process answered from its cache: evicted too late, or by a fact that it did not see, it would say a time up to which it does not hold. */
export const cachedAnswers: Checker = {
  invariant: 'INV-12',
  says: 'a cached answer is no older than it says',
  check(history) {
    const numberOf = numbers(history);
    const moves = grouped(writes(operations(history)).filter(({ invoke, complete }) => invoke.action === 'move' && complete.outcome === 'ok'), ({ invoke }) => invoke.key); // what the cached rows count
    return ofType(history, 'cached').flatMap(({ at, instance, key, sequence, asOf }): Finding[] => {
      const newest = newestBefore(asOf ?? 0, moves.get(key), numberOf);
      return sequence < newest ? [{ invariant: 'INV-12', class: 'stale-read', what: `${instance} answered at ${at} from its cache: ${key} showed number ${sequence} as of ${asOf}, number ${newest} was done before` }] : [];
    });
  },
};

/** A repeated request has one fact and equal answers; a request without a key has one fact at most. */
export const idempotency: Checker = {
  invariant: 'INV-13',
  says: 'a repeated request has one fact and equal answers',
  check(history) {
    const stated = grouped(ofType(history, 'committed').filter(({ value }) => value !== null), ({ value }) => String(value));
    return [
      ...[...stated].filter(([, of]) => of.length > 1).map(([value, of]): Finding => ({ invariant: 'INV-13', class: 'duplicate', what: `${value} is in ${of.length} facts: ${of.map(({ key, sequence }) => `${key}/${sequence}`).join(', ')}` })),
      ...operations(history)
        .filter(({ complete }) => new Set(complete.answers).size > 1)
        .map(({ invoke, complete }): Finding => ({ invariant: 'INV-13', class: 'unequal-answers', what: `operation ${invoke.op} was answered ${[...new Set(complete.answers)].join(' and ')}` })),
    ];
  },
};

/** What was answered as not done was not done; what had no answer may have happened or not. */
export const outcomes: Checker = {
  invariant: 'INV-18',
  says: 'unknown is not failed, and failed is not done',
  check(history) {
    const stated = new Set(ofType(history, 'committed').map(({ value }) => value));
    return writes(operations(history))
      .filter(({ invoke, complete }) => complete.outcome === 'fail' && stated.has(invoke.value!))
      .map(({ invoke, complete }) => ({ invariant: 'INV-18', class: 'failed-but-happened' as const, what: `operation ${invoke.op} was answered ${complete.status} ${complete.code} and its ${invoke.value} is a fact` }));
  },
};

/** What became of the writes whose outcome the client does not know. */
export function reconciled(history: History): { happened: number; not: number } {
  const stated = new Set(ofType(history, 'committed').map(({ value }) => value));
  const unknown = writes(operations(history)).filter(({ complete }) => complete.outcome === 'unknown');
  const happened = unknown.filter(({ invoke }) => stated.has(invoke.value!)).length;
  return { happened, not: unknown.length - happened };
}
