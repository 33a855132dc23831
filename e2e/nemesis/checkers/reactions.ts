import { type History, type OnTopic, ofType } from '../history.js';
import { COUNTED, appliedOf } from './effects.js';
import { type Checker, type Finding, grouped } from './finding.js';

/** The reaction of a run: a row and a fact for each move of an employee. */
const REACTION = 'payslips';

const name = ({ key, sequence }: { key: string; sequence: number }) => `${key}/${sequence}`;
const ran = (history: History) => ofType(history, 'position').some(({ model }) => model === REACTION);

/** Facts that must have had their effect: handled, read, and neither parked nor given up. */
function dueOf(history: History): OnTopic[] {
  return appliedOf(history, REACTION).filter((record) => record.name === COUNTED);
}

/** Each fact that is not parked has one row, and each row a fact. Order is that of the rows, and judged with those of read models. */
export const reactionEffects: Checker = {
  invariant: 'INV-5',
  says: 'a reaction has each effect once',
  check(history) {
    if (!ran(history)) return [];
    const due = new Set(dueOf(history).map(name));
    const effects = grouped(ofType(history, 'applied').filter(({ model }) => model === REACTION), name);
    const parked = grouped(ofType(history, 'parked').filter(({ model }) => model === REACTION), ({ key }) => key);
    return [
      ...[...due].filter((fact) => !effects.has(fact)).map((fact): Finding => ({ invariant: 'INV-5', class: 'poll-skip', what: `${REACTION}: ${fact} had no effect` })),
      ...[...effects].filter(([, each]) => each.length > 1).map(([fact, each]): Finding => ({ invariant: 'INV-5', class: 'doubled-effect', what: `${REACTION}: ${fact} had its effect ${each.length} times` })),
      ...[...effects]
        .filter(([fact]) => !due.has(fact))
        .map(([fact, [first]]): Finding => ({ invariant: 'INV-5', class: 'wrong-row', what: `${REACTION}: ${fact} had an effect and is ${parked.has(first!.key) ? 'parked' : 'no fact'}` })),
    ];
  },
};

/** Each effect stated one fact, which names its cause, in the order of the causes. */
export const causedFacts: Checker = {
  invariant: 'INV-3',
  says: 'a reaction states one fact for each effect, with its cause and in the order of the causes',
  check(history) {
    if (ofType(history, 'caused-scanned').length === 0) return [];
    const causes = new Map(dueOf(history).map((record) => [record.id, record]));
    const caused = [...new Map(ofType(history, 'caused').map((each) => [each.id, each])).values()];
    const byCause = grouped(caused, ({ cause }) => cause);
    const findings: Finding[] = [
      ...[...causes].filter(([id]) => !byCause.has(id)).map(([, cause]): Finding => ({ invariant: 'INV-3', class: 'lost-write', what: `${name(cause)} caused no fact` })),
      ...[...byCause].filter(([id]) => !causes.has(id)).map(([id, [each]]): Finding => ({ invariant: 'INV-3', class: 'aborted-read', what: `${name(each!)} of the reaction says that ${id || 'nothing'} caused it, which had no effect` })),
      ...[...byCause].filter(([, each]) => each.length > 1).map(([id, each]): Finding => ({ invariant: 'INV-3', class: 'doubled-effect', what: `${id} caused ${each.map(name).join(', ')}` })),
    ];
    for (const [key, own] of grouped(caused, (each) => each.key)) {
      const ordered = own.toSorted((one, other) => one.sequence - other.sequence).map(({ cause }) => causes.get(cause)?.sequence ?? 0);
      if (ordered.some((sequence, at) => at > 0 && sequence < ordered[at - 1]!)) findings.push({ invariant: 'INV-3', class: 'inversion', what: `${key}: the reaction stated facts in another order than their causes have` });
    }
    return findings;
  },
};

/** Every re-drive ended, and counted each key once. */
export const redrives: Checker = {
  invariant: 'INV-10',
  says: 'a re-drive ends, and counts what it tried',
  check: (history) =>
    ofType(history, 'redriven')
      .filter(({ state, keys, tried, failed }) => state === 'running' || tried > keys || failed > tried || (state === 'done' && tried < keys))
      .map((redrive) => ({ invariant: 'INV-10', class: 'not-conserved' as const, what: `a re-drive is ${JSON.stringify(redrive)}` })),
};
