import type { Reached } from 'factline/consumer';
import { type Passage, appliedWhen, verdictOf } from './hop.js';
import { SILENT_MS } from './limits.js';

const second = (nth: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, nth));
const NOW = second(100);

const reached = (over: Partial<Reached> = {}): Reached => ({ topicId: 't1', generation: 1, nextOffset: 5, lastOffset: 4, movedAt: second(90), asOf: second(99), notYetAt: null, passedBy: null, letter: null, failed: null, ...over });
const passage = (over: Partial<Passage> = {}): Passage => ({
  offset: 7,
  publishedAt: second(50),
  partition: 0,
  topic: { name: 't', id: 't1', partitions: [{ start: 0, end: 20 }] },
  reached: reached(),
  app: 'payroll',
  connected: true,
  now: NOW,
  ...over,
});
const letter = (offset: number, code: string | null) => ({ topic: 't', partition: 0, offset, key: 'k', factId: null, code, reason: code && 'no such row', parkedAt: second(60), seen: null, sequence: null, schemaId: null });

describe('a hop that was not seen yet says why', () => {
  it.each<[string, Partial<Passage>, RegExp]>([
    ['the facts before it', {}, /^lag: 2 facts lie before it$/],
    ['one fact before it', { offset: 6 }, /^lag: 1 fact lies before it$/],
    ['that it is the next', { offset: 5 }, /^lag: it is the next one$/],
    ['that no process runs', { connected: false }, /^no process of payroll is connected to its database; 2 facts lie before it$/],
    ['that a process runs and does not move', { now: new Date(second(99).getTime() + SILENT_MS + 1) }, /^it has not moved since 2026-01-01T00:01:39.000Z, although a process of payroll runs/],
    ['that its code is another', { outdated: 'built by version 1' }, /^OUTDATED: built by version 1; 2 facts/],
    ['that the topic is another', { topic: { name: 't', id: 't2', partitions: [{ start: 0, end: 20 }] } }, /^GAP: the topic was deleted and created again/],
    ['that facts are gone', { topic: { name: 't', id: 't1', partitions: [{ start: 6, end: 20 }] } }, /^GAP: retention .* begins at 6, the checkpoint stands at 5$/],
    ['that the tail is gone', { topic: { name: 't', id: 't1', partitions: [{ start: 0, end: 3 }] } }, /^GAP: the log ends at 3, before the checkpoint 5/],
    ['that the partition was never read', { reached: undefined }, /^nothing of this partition was ever read/],
    ['that nobody ever ran', { reached: undefined, connected: false }, /^no process of payroll/],
  ])('%s', (_what, over, reason) => {
    expect(verdictOf(passage(over))).toEqual({ state: 'not-seen-yet', reason: expect.stringMatching(reason) });
  });
});

it('a dead letter says what failed, and one behind it says which', () => {
  expect(verdictOf(passage({ reached: reached({ letter: letter(7, 'spec.bad'), failed: letter(7, 'spec.bad'), nextOffset: 20 }) }))).toEqual({ state: 'waits', at: second(60), reason: 'dead letter spec.bad: no such row' });
  expect(verdictOf(passage({ reached: reached({ letter: letter(7, null), failed: letter(3, 'spec.bad'), nextOffset: 20 }) }))).toEqual({ state: 'waits', at: second(60), reason: 'waits behind a fact of its key at offset 3 that failed: spec.bad: no such row' });
});

it('where the checkpoint stands in another topic, having passed an offset of that number says nothing', () => {
  const other = { name: 't', id: 't2', partitions: [{ start: 0, end: 20 }] };
  expect(verdictOf(passage({ topic: other, reached: reached({ nextOffset: 20 }) }))).toMatchObject({ state: 'not-seen-yet' });
  expect(verdictOf(passage({ reached: reached({ nextOffset: 20 }) }))).toBeUndefined(); // the control
  expect(verdictOf(passage({ topic: undefined, reached: reached({ nextOffset: 20 }) }))).toBeUndefined(); // the log does not answer
});

describe('what was applied says when, and no more than is known', () => {
  const when = (over: Partial<Reached>, offset = 7) => appliedWhen(passage({ offset, reached: reached({ nextOffset: 20, lastOffset: 19, ...over }) }));

  it('exactly, when it is what moved the checkpoint last', () => {
    expect(when({ nextOffset: 8, lastOffset: 7 })).toEqual({ state: 'applied', at: second(90) });
  });

  it('not exactly, when the checkpoint moved on over a hole', () => {
    expect(when({ nextOffset: 10, lastOffset: 7 })).toMatchObject({ after: second(50), by: second(90) });
  });

  it('between two marks', () => {
    expect(when({ notYetAt: second(60), passedBy: second(61) })).toEqual({ state: 'applied', after: second(60), by: second(61) });
  });

  it('not before it was published, and no later than the last move', () => {
    expect(when({ notYetAt: second(40), passedBy: second(95) })).toEqual({ state: 'applied', after: second(50), by: second(90) });
  });

  it('without marks by the last move alone, and says so', () => {
    expect(when({})).toEqual({ state: 'applied', after: second(50), by: second(90), reason: expect.stringContaining('no mark is left') });
  });
});
