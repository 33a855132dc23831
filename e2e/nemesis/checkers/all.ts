import type { History } from '../history.js';
import { boundedHeap, liveness } from './bounds.js';
import { cachedAnswers, idempotency, outcomes, readsGoForward, staleReads } from './clients.js';
import { checkpoints, conservation, determinism, doubledEffects, parkedOrder, wrongRows } from './effects.js';
import type { Checker, Finding } from './finding.js';
import { causedFacts, reactionEffects, redrives } from './reactions.js';
import { inconsistentOffsets, inversions, lostFacts, phantoms, strays } from './topic.js';

export const CHECKERS: readonly Checker[] = [
  lostFacts,
  inconsistentOffsets,
  phantoms,
  inversions,
  strays,
  doubledEffects,
  wrongRows,
  checkpoints,
  determinism,
  parkedOrder,
  conservation,
  staleReads,
  readsGoForward,
  cachedAnswers,
  idempotency,
  boundedHeap,
  liveness,
  outcomes,
  reactionEffects,
  causedFacts,
  redrives,
];

/** Invariants that concern parts which this product does not have. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'INV-16': 'there is no erasure',
  'INV-17': 'operator actions have no audit',
};

export function check(history: History): Finding[] {
  return CHECKERS.flatMap((checker) => checker.check(history));
}
