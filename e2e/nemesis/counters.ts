import { type History, ofType } from './history.js';
import { grouped } from './checkers/finding.js';

/** Rare paths that a full run must have taken: what never happened was not tested. */
export type Sometimes = 'zombie refused' | 'relay taken over' | 'producer rebuilt' | 'key blocked' | 'reaction blocked' | 'breaker opened' | 're-drive done' | 'gap seen' | 'stale served' | 'answered from a cache' | 'outcome unknown' | 'fact repeated on the wire';

/** An answer whose as-of time is so much older than the answer is stale: watermarks come every second, at the latest every 5 s. */
const STALE_AFTER_MS = 5_000;

/** How often each rare path was taken, as the history shows. */
export function sometimes(history: History): Record<Sometimes, number> {
  const samples = [...grouped(ofType(history, 'sample'), ({ instance, incarnation }) => `${instance} ${incarnation}`).values()];
  const most = (of: (sample: (typeof samples)[number][number]) => number) => samples.reduce((sum, own) => sum + Math.max(...own.map(of)), 0);
  const epochs = ofType(history, 'relay').map(({ epoch }) => epoch);
  const records = ofType(history, 'record').filter(({ id }) => id !== '');
  const completions = ofType(history, 'complete');
  return {
    'zombie refused': most(({ fenced }) => fenced),
    'relay taken over': new Set(epochs).size > 0 ? new Set(epochs).size - 1 : 0,
    'producer rebuilt': most(({ rejectedSends }) => rejectedSends),
    'key blocked': new Set(ofType(history, 'parked').map(({ model, key }) => `${model} ${key}`)).size,
    'reaction blocked': new Set(ofType(history, 'parked').flatMap(({ model, key }) => (model === 'payslips' ? [key] : []))).size,
    'breaker opened': new Set(ofType(history, 'sample').flatMap(({ instance, incarnation, states }) => (states.includes('consumer.breaker') ? [`${instance} ${incarnation}`] : []))).size,
    're-drive done': ofType(history, 'redriven').filter(({ state, facts }) => state === 'done' && facts > 0).length,
    'gap seen': ofType(history, 'gap').filter(({ code }) => code === 'consumer.gap').length,
    'stale served': completions.filter(({ at, outcome, asOf }) => outcome === 'ok' && asOf !== undefined && at - asOf > STALE_AFTER_MS).length,
    'answered from a cache': ofType(history, 'cached').filter(({ asOf }) => asOf !== null).length,
    'outcome unknown': completions.filter(({ outcome }) => outcome === 'unknown').length,
    'fact repeated on the wire': records.length - new Set(records.map(({ id }) => id)).size,
  };
}

/** The paths that were never taken. */
export function never(counts: Readonly<Record<Sometimes, number>>): Sometimes[] {
  return (Object.keys(counts) as Sometimes[]).filter((name) => counts[name] === 0);
}
