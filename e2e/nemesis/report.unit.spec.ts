import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { SOUND, and, where } from './checkers/sound-history.spec.support.js';
import { check } from './checkers/all.js';
import { never, sometimes } from './counters.js';
import { type Event, HistoryFile, readHistory } from './history.js';
import { passes, reportOf } from './report.js';

const sample = (instance: string, incarnation: number, fenced: number, rejectedSends: number): Event => ({ type: 'sample', at: 1, instance, incarnation, fenced, rejectedSends, blockedKeys: 0, heapBytes: 1, states: [] });

/** The sound history, and every rare path in it. */
const FULL = and(
  sample('payroll-1', 1, 1, 0),
  sample('payroll-1', 1, 3, 0),
  sample('payroll-1', 2, 2, 0),
  sample('hr-1', 2, 0, 4),
  { type: 'relay', at: 1, epoch: 1 },
  { type: 'relay', at: 2, epoch: 1 },
  { type: 'relay', at: 3, epoch: 3 },
  { type: 'gap', at: 1, code: 'consumer.gap' },
  { type: 'sample', at: 1, instance: 'tally-1', incarnation: 1, fenced: 0, rejectedSends: 0, blockedKeys: 0, heapBytes: 1, states: ['LIVE', 'PAUSED', 'consumer.breaker'] },
  { type: 'invoke', at: 10_000, op: 20, client: 'reader-0', action: 'read', key: 'a' },
  { type: 'complete', at: 10_001, op: 20, outcome: 'ok', value: 103, asOf: 72 },
);

const judged = (history: readonly Event[], wantsAllPaths = true) => ({ findings: check(history), counts: sometimes(history), wantsAllPaths });

it('counts rare paths: by process the most it said, and processes added up', () => {
  expect(sometimes(FULL)).toEqual({
    'zombie refused': 5,
    'relay taken over': 1,
    'producer rebuilt': 4,
    'key blocked': 3,
    'reaction blocked': 1,
    'breaker opened': 1,
    're-drive done': 1,
    'gap seen': 1,
    'stale served': 1,
    'answered from a cache': 1,
    'outcome unknown': 2,
    'fact repeated on the wire': 2,
  });
});

it('fails a run in which a rare path was never taken, unless that was not asked for', () => {
  expect(never(sometimes(SOUND))).toEqual(['zombie refused', 'relay taken over', 'producer rebuilt', 'breaker opened', 'gap seen', 'stale served']);
  expect([passes(FULL, judged(FULL)), passes(SOUND, judged(SOUND)), passes(SOUND, judged(SOUND, false))]).toEqual([true, false, true]);
  expect(reportOf(SOUND, judged(SOUND))).toContain('NEVER zombie refused, relay taken over');
});

it('fails a run with a finding, and names invariant, class and what it is', () => {
  const lossy = where({ type: 'row', model: 'tally' }, { facts: 1, cents: 103 });
  expect(passes(lossy, judged(lossy, false))).toBe(false);
  expect(reportOf(lossy, judged(lossy))).toMatch(/INV-5 +BROKEN 1 times[\s\S]*INV-16 +left out: there is no erasure[\s\S]*class +poll-skip: 1\n +INV-5 tally: a counted 1 facts of 2/);
});

it('fails a run in which a fault could not be done', () => {
  const undone = [...FULL, { type: 'fault', at: 1, fault: 3, kind: 'kill', target: 'kafka-1', phase: 'failed', detail: 'no such process' } as const];
  expect(passes(undone, judged(undone))).toBe(false);
  expect(reportOf(undone, judged(undone))).toContain('NOT DONE 3 kill kafka-1: no such process');
});

it('reads back the history that it wrote', () => {
  const folder = mkdtempSync(join(tmpdir(), 'factline-history-'));
  try {
    const file = new HistoryFile(join(folder, 'run.jsonl'));
    for (const event of FULL) file.write(event);
    file.close();
    expect(readHistory(file.path)).toEqual(FULL);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
