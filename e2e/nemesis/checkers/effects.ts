import { type History, type OnTopic, ofType } from '../history.js';
import { type Checker, type FaultClass, type Finding, grouped } from './finding.js';
import { facts, inOrder } from './topic.js';

/** What a model makes of facts: the last value of each key, or a count of the moves and their sum. */
type Fold = 'last' | 'count';

/** Models by their names, in a run and in the controls. */
const FOLDS: Readonly<Record<string, Fold>> = { payees: 'last', tally: 'count' };
export const COUNTED = 'hr.EmployeeMoved';

const placeOf = ({ partition, offset }: { partition: number; offset: number }) => `[${partition}]@${offset}`;

/** Facts of the topic up to a model's position, without repetitions and without what is parked. */
export function appliedOf(history: History, model: string): OnTopic[] {
  const parked = stillParked(history, model);
  const next = new Map(ofType(history, 'position').filter((position) => position.model === model).map(({ partition, next: to }) => [partition, to]));
  const known = new Set<string>();
  return inOrder(facts(history)).filter((record) => {
    const before = record.offset < (next.get(record.partition) ?? Infinity);
    if (!before || known.has(record.id) || parked.has(placeOf(record))) return false;
    known.add(record.id);
    return true;
  });
}

/** Dead letters that are there at the end. */
function stillParked(history: History, model: string): Set<string> {
  const parked = new Set<string>();
  for (const event of ofType(history, 'parked', 'released').toSorted((one, other) => one.order - other.order)) {
    if (event.model !== model) continue;
    if (event.type === 'parked') parked.add(placeOf(event));
    else parked.delete(placeOf(event));
  }
  return parked;
}

/** Each write of a row contains a later fact than the one before; a model that counts has counted each fact once. */
export const doubledEffects: Checker = {
  invariant: 'INV-5',
  says: 'each fact is in effect once',
  check(history) {
    const findings: Finding[] = [];
    const last = new Map<string, number>();
    for (const { model, key, sequence } of ofType(history, 'applied').toSorted((one, other) => one.order - other.order)) {
      const before = last.get(`${model} ${key}`) ?? 0;
      if (sequence === before) findings.push({ invariant: 'INV-5', class: 'doubled-effect', what: `${model}: ${key}/${sequence} was applied again` });
      if (sequence < before) findings.push({ invariant: 'INV-5', class: 'nonmonotonic-poll', what: `${model}: ${key}/${sequence} was applied after ${before}` });
      last.set(`${model} ${key}`, Math.max(before, sequence));
    }
    for (const [model, fold] of Object.entries(FOLDS)) if (fold === 'count') findings.push(...miscounted(history, model));
    return findings;
  },
};

function miscounted(history: History, model: string): Finding[] {
  const rows = ofType(history, 'row').filter((row) => row.model === model);
  if (rows.length === 0) return [];
  const counted = grouped(appliedOf(history, model).filter(({ name }) => name === COUNTED), ({ key }) => key);
  return rows.flatMap(({ key, facts: found = 0 }) => {
    const right = counted.get(key)?.length ?? 0;
    const wrong: FaultClass = found > right ? 'doubled-effect' : 'poll-skip';
    return found === right ? [] : [{ invariant: 'INV-5', class: wrong, what: `${model}: ${key} counted ${found} facts of ${right}` }];
  });
}

/** An independent fold of the topic equals the table, row by row. */
export const wrongRows: Checker = {
  invariant: 'INV-6',
  says: 'each read model is the fold of the log',
  check(history) {
    return Object.entries(FOLDS).flatMap(([model, fold]) => {
      const rows = new Map(ofType(history, 'row').filter((row) => row.model === model).map((row) => [row.key, told(fold, row)]));
      if (rows.size === 0) return [];
      const right = folded(fold, appliedOf(history, model));
      return [...new Set([...rows.keys(), ...right.keys()])]
        .filter((key) => rows.get(key) !== right.get(key))
        .map((key) => ({ invariant: 'INV-6', class: 'wrong-row' as const, what: `${model}: ${key} is ${rows.get(key) ?? 'missing'}, not ${right.get(key) ?? 'there'}` }));
    });
  },
};

interface Folded {
  sequence: number;
  value?: number;
  facts?: number;
  cents?: number;
}

function told(fold: Fold, { sequence, value, facts: count, cents }: Folded): string {
  return fold === 'last' ? `${value} up to ${sequence}` : `${count} facts with ${cents} up to ${sequence}`;
}

function folded(fold: Fold, records: readonly OnTopic[]): Map<string, string> {
  const rows = new Map<string, Folded>();
  for (const { key, sequence, name, value } of records) {
    const before = rows.get(key);
    if (fold === 'last') rows.set(key, { ...before, ...(value !== null && { value }), sequence });
    else if (name === COUNTED) rows.set(key, { sequence, facts: (before?.facts ?? 0) + 1, cents: (before?.cents ?? 0) + (value ?? 0) });
  }
  return new Map([...rows].map(([key, row]) => [key, told(fold, row)]));
}

/** Every change of a checkpoint begins where the one before it ended, and its owner is no earlier one. */
export const checkpoints: Checker = {
  invariant: 'INV-7',
  says: 'checkpoints never fall, and each change has the newest owner',
  check(history) {
    const findings: Finding[] = [];
    const ordered = ofType(history, 'advanced').toSorted((one, other) => one.order - other.order);
    for (const [lane, changes] of grouped(ordered, ({ model, partition, generation }) => `${model}[${partition}] generation ${generation}`)) {
      let [position, epoch] = [0, 0];
      for (const change of changes) {
        const found = (wrong: FaultClass, what: string) => findings.push({ invariant: 'INV-7', class: wrong, what: `${lane}: ${what}` });
        if (change.from > position) found('poll-skip', `it goes on at ${change.from}, and ended at ${position}`);
        if (change.from < position || change.to < change.from) found('nonmonotonic-poll', `it went from ${change.from} to ${change.to}, and was at ${position}`);
        if (change.epoch < epoch) found('nonmonotonic-poll', `owner ${change.epoch} moved it after owner ${epoch}`);
        [position, epoch] = [change.to, Math.max(epoch, change.epoch)];
      }
    }
    return findings;
  },
};

/** Rebuilds from offset zero give the same rows as each other and as the live build. */
export const determinism: Checker = {
  invariant: 'INV-8',
  says: 'two rebuilds equal the live build',
  check: (history) =>
    ofType(history, 'rebuilt')
      .filter(({ equal }) => !equal)
      .map(({ round, detail }) => ({ invariant: 'INV-8', class: 'not-deterministic' as const, what: `rebuild ${round}: ${detail}` })),
};

/** Nothing of a blocked key is applied while an older fact of it is parked; a repair releases and applies in one transaction. */
export const parkedOrder: Checker = {
  invariant: 'INV-9',
  says: 'nothing of a blocked key overtakes what is parked',
  check(history) {
    const findings: Finding[] = [];
    const events = ofType(history, 'parked', 'released', 'applied').toSorted((one, other) => one.order - other.order);
    const releasedIn = new Set(events.flatMap((event) => (event.type === 'released' ? [`${event.tx} ${placeOf(event)}`] : [])));
    const offsets = new Map(inOrder(facts(history)).toReversed().map((record) => [`${record.key}/${record.sequence}`, record.offset]));
    const parked = new Map<string, Map<string, number>>();
    for (const event of events) {
      const name = `${event.model} ${event.key}`;
      const letters = parked.get(name) ?? new Map<string, number>();
      parked.set(name, letters);
      if (event.type === 'parked') letters.set(placeOf(event), event.offset);
      else if (event.type === 'released') letters.delete(placeOf(event));
      else if (event.type === 'applied') {
        const offset = offsets.get(`${event.key}/${event.sequence}`) ?? Infinity;
        const older = [...letters].filter(([place, parkedAt]) => parkedAt < offset && !releasedIn.has(`${event.tx} ${place}`)).map(([place]) => place);
        if (older.length > 0) findings.push({ invariant: 'INV-9', class: 'overtaken-parked', what: `${event.model}: ${event.key}/${event.sequence} was applied while ${older.join(', ')} was parked` });
      }
    }
    return findings;
  },
};

/** Records up to a model's position = applied + repeated + parked + given up by an operator. Applied is what the rows say they contain. */
export const conservation: Checker = {
  invariant: 'INV-10',
  says: 'received = applied + duplicate + parked + skipped',
  check(history) {
    const records = ofType(history, 'record');
    return [...grouped(ofType(history, 'position').filter(({ model }) => FOLDS[model] === 'last'), ({ model }) => model)].flatMap(([model, positions]) => {
      const contained = new Map(ofType(history, 'row').filter((row) => row.model === model).map((row) => [row.key, row.sequence]));
      const parked = [...stillParked(history, model)];
      const skipped = ofType(history, 'skipped').filter((each) => each.model === model);
      return positions.flatMap(({ partition, next }) => {
        const received = records.filter((record) => record.partition === partition && record.offset < next);
        const keys = new Set(received.filter(({ id }) => id !== '').map(({ key }) => key));
        const parts = {
          applied: [...keys].reduce((sum, key) => sum + (contained.get(key) ?? 0), 0),
          duplicate: received.filter(({ id }) => id !== '').length - new Set(received.map(({ id }) => id).filter((id) => id !== '')).size,
          parked: parked.filter((place) => place.startsWith(`[${partition}]`)).length,
          skipped: skipped.filter((each) => each.partition === partition).length,
        };
        const sum = parts.applied + parts.duplicate + parts.parked + parts.skipped;
        return sum === received.length ? [] : [{ invariant: 'INV-10', class: 'not-conserved' as const, what: `${model}[${partition}]: ${received.length} records received, ${JSON.stringify(parts)}` }];
      });
    });
  },
};
