import { SIMULATION_TIMEOUT_MS } from '../limits.js';

/** What fast-check is asked for: see its `Parameters`. */
export interface SimulationRuns {
  numRuns: number;
  seed?: number;
  path?: string;
  endOnFailure?: boolean;
}

/** Runs are the same each time unless others are asked for: what decides whether a change lands must not fail for what the change did not do. */
const SEED = 1;

/**
 * How many runs, and which. Without a word they are the same each time. `FACTLINE_RUNS=20` makes 20 times as many, and others each time: it looks for what nobody has found
 * yet. `FACTLINE_SEED='<seed>:<path>'` repeats the one that fast-check printed as `{ seed: <seed>, path: "<path>" }`.
 */
export function simulationRuns(numRuns: number, environment: NodeJS.ProcessEnv = globalThis.process.env): SimulationRuns {
  const [seed, ...path] = environment['FACTLINE_SEED']?.split(':') ?? [];
  if (seed !== undefined) return { numRuns: path.length > 0 ? 1 : numRuns, seed: Number(seed), ...(path.length > 0 && { path: path.join(':'), endOnFailure: true }) };
  const more = environment['FACTLINE_RUNS'];
  return more === undefined ? { numRuns, seed: SEED } : { numRuns: Math.ceil(numRuns * Number(more)) };
}

/** Jest's limit for one test of so many runs. */
export function simulationTimeoutMs(environment: NodeJS.ProcessEnv = globalThis.process.env): number {
  return SIMULATION_TIMEOUT_MS * Math.max(1, Number(environment['FACTLINE_RUNS'] ?? 1));
}
