import type { Event } from '../history.js';
import { CHECKERS, LEFT_OUT, check } from './all.js';
import { HEAP_BYTES_MAX } from './bounds.js';
import { reconciled } from './clients.js';
import type { FaultClass } from './finding.js';
import { SOUND, and, extraRecord, where } from './sound-history.spec.support.js';

const read = (at: number, value: number): Event[] => [
  { type: 'invoke', at, op: 11, client: 'reader-0', action: 'read', key: 'a' },
  { type: 'complete', at: at + 5, op: 11, outcome: 'ok', status: 200, value, asOf: 1 },
];

/** Each history has exactly the fault that its line says; what follows from it is named as well. */
const FAULTS: readonly (readonly [what: string, history: Event[], ...findings: `${string} ${FaultClass}`[]])[] = [
  ['a committed fact that is not on the topic', where({ id: 'b2' }, undefined).concat({ type: 'committed', key: 'b', sequence: 2, id: 'b2', value: 104 }), 'INV-1 lost-write', 'INV-3 aborted-read', 'INV-5 wrong-row', 'INV-6 wrong-row', 'INV-10 not-conserved'],
  ['a write that was answered as done and is no fact', where({ type: 'complete', op: 6 }, { outcome: 'ok' }), 'INV-1 lost-write'],
  ['a record that was seen and is gone', and(extraRecord('polled', 1, 9, 'b', 3, 107)), 'INV-1 lost-write'],
  ['an offset that held two facts', where({ type: 'polled', id: 'b1' }, { id: 'b9' }), 'INV-1 inconsistent-offsets'],
  ['a fact on the topic whose transaction never committed', where({ type: 'committed', id: 'a2' }, { id: 'z' }), 'INV-1 lost-write', 'INV-2 aborted-read'],
  ['a fact with another number than it committed with', where({ type: 'committed', id: 'b2' }, { sequence: 3 }), 'INV-2 aborted-read'],
  ['a number that comes before the one below it', where({ id: 'a2', offset: 1 }, { offset: 2.5 }), 'INV-3 inversion', 'INV-6 wrong-row'],
  ['a key in two partitions', where({ id: 'a3', offset: 4 }, { partition: 1, offset: 3 }), 'INV-4 two-partitions'],
  ['a fact that was applied again', and({ type: 'applied', order: 9, model: 'tally', key: 'a', sequence: 3, tx: '9' }), 'INV-5 doubled-effect'],
  ['a fact that was applied after a later one', and({ type: 'applied', order: 9, model: 'tally', key: 'a', sequence: 2, tx: '9' }), 'INV-5 nonmonotonic-poll'],
  ['a fact that was counted twice', where({ type: 'row', model: 'tally' }, { facts: 3, cents: 307 }), 'INV-5 doubled-effect', 'INV-6 wrong-row'],
  ['a fact that was not counted', where({ type: 'row', model: 'tally' }, { facts: 1, cents: 103 }), 'INV-5 poll-skip', 'INV-6 wrong-row'],
  ['a row that is not the fold of the log', where({ type: 'row', model: 'payees', key: 'a' }, { value: 101 }), 'INV-6 wrong-row'],
  ['a row that is missing', where({ type: 'row', model: 'payees', key: 'b' }, undefined), 'INV-6 wrong-row', 'INV-10 not-conserved'],
  ['a checkpoint that jumped', where({ type: 'advanced', from: 3 }, { from: 4 }), 'INV-7 poll-skip'],
  ['a checkpoint that fell', where({ type: 'advanced', from: 3 }, { from: 1 }), 'INV-7 nonmonotonic-poll'],
  ['a checkpoint that a former owner moved', and({ type: 'advanced', order: 3, model: 'payees', partition: 0, from: 5, to: 5, epoch: 1, generation: 1 }), 'INV-7 nonmonotonic-poll'],
  ['a rebuild with other rows', where({ type: 'rebuilt' }, { equal: false }), 'INV-8 not-deterministic'],
  ['a fact that overtook a parked one of its key', where({ type: 'released', offset: 1 }, { order: 9 }), 'INV-9 overtaken-parked'],
  ['a record of which nothing says what became of it', where({ type: 'skipped' }, undefined), 'INV-10 not-conserved'],
  ['an answer that is older than it says', where({ type: 'complete', op: 8 }, { asOf: 90, value: 100 }), 'INV-11 stale-read'],
  ['an answer without the own write it asks for', where({ type: 'complete', op: 8 }, { value: 100, asOf: 1 }), 'INV-11 stale-read'],
  ['a read that went back', and(...read(110, 101)), 'INV-11 nonmonotonic-poll'],
  ['a cached answer that is older than it says', where({ type: 'cached', key: 'b' }, { asOf: 90 }), 'INV-12 stale-read'],
  ['one value in two facts', and({ type: 'committed', key: 'b', sequence: 3, id: 'b3', value: 104 }, extraRecord('record', 1, 3, 'b', 3, 104)), 'INV-13 duplicate'],
  ['a repeated request that was answered in two ways', where({ type: 'complete', op: 2 }, { answers: ['version 2', 'version 3'] }), 'INV-13 unequal-answers'],
  ['a heap without a limit', where({ type: 'sample' }, { heapBytes: HEAP_BYTES_MAX + 1 }), 'INV-14 unbounded'],
  ['a run that never gets quiet', where({ type: 'quiet' }, { reached: false, left: '3 facts' }), 'INV-15 unseen'],
  ['a fact that waits for ever', and({ type: 'pending', key: 'b', sequence: 3 }), 'INV-15 unseen'],
  ['a partition that stands', where({ type: 'position', model: 'tally', partition: 1 }, { end: 4 }), 'INV-15 unseen'],
  ['an effect of a reaction that happened again', and({ type: 'applied', order: 9, model: 'payslips', key: 'a', sequence: 2, tx: '9' }), 'INV-5 doubled-effect', 'INV-5 nonmonotonic-poll'],
  ['a fact that a reaction passed over', where({ type: 'applied', model: 'payslips', sequence: 2, key: 'a' }, undefined), 'INV-5 poll-skip'],
  ['an effect without a fact', and({ type: 'applied', order: 9, model: 'payslips', key: 'c', sequence: 2, tx: '9' }), 'INV-5 wrong-row'],
  ['an effect that stated nothing', where({ type: 'caused', id: 'p1' }, undefined), 'INV-3 lost-write'],
  ['a fact of a reaction with another cause', where({ type: 'caused', id: 'p1' }, { cause: 'z' }), 'INV-3 lost-write', 'INV-3 aborted-read'],
  ['an effect that stated two facts', and({ type: 'caused', partition: 0, offset: 3, key: 'a', id: 'p4', sequence: 3, cause: 'a3' }), 'INV-3 doubled-effect'],
  ['facts of a reaction in another order than their causes', where({ type: 'caused', id: 'p1' }, { sequence: 3 }), 'INV-3 inversion'],
  ['a reaction that went past a parked fact', where({ type: 'released', model: 'payslips', offset: 1 }, { order: 9 }), 'INV-9 overtaken-parked'],
  ['a re-drive that does not end', where({ type: 'redriven' }, { state: 'running' }), 'INV-10 not-conserved'],
  ['a write that was answered as not done and is a fact', where({ type: 'complete', op: 4 }, { outcome: 'fail' }), 'INV-18 failed-but-happened'],
];

it('passes a sound history: a repeated stretch, a blocked key, a write without an answer that happened and one that did not', () => {
  expect(check(SOUND)).toEqual([]);
  expect(reconciled(SOUND)).toEqual({ happened: 1, not: 1 });
});

it.each(FAULTS.map(([what, history, ...expected]) => ({ what, history, expected })))('finds $what', ({ history, expected }) => {
  const found = [...new Set(check(history).map(({ invariant, class: name }) => `${invariant} ${name}`))];
  expect(found.toSorted()).toEqual([...expected].toSorted());
});

it('has a history with its fault for every checker, and a reason for every invariant without one', () => {
  const caught = new Set(FAULTS.flatMap(([, history]) => CHECKERS.filter((checker) => checker.check(history).length > 0).map(({ says }) => says)));
  expect(CHECKERS.filter(({ says }) => !caught.has(says))).toEqual([]);
  const covered = new Set([...CHECKERS.map(({ invariant }) => invariant), ...Object.keys(LEFT_OUT)]);
  expect(Array.from({ length: 18 }, (_, i) => `INV-${i + 1}`).filter((name) => !covered.has(name))).toEqual([]);
});
