import { SIMULATION_TIMEOUT_MS } from '../limits.js';

/** What fast-check is asked for: see its `Parameters`. */
export interface SimulationRuns {
  numRuns: number;
  seed?: number;
  path?: string;
  endOnFailure?: boolean;
}

/**
 * How many runs, and which: `FACTLINE_RUNS=20` makes 20 times as many, `FACTLINE_SEED='<seed>:<path>'` repeats the one that fast-check printed as
 * `{ seed: <seed>, path: "<path>" }`.
 */
export function simulationRuns(numRuns: number, environment: NodeJS.ProcessEnv = globalThis.process.env): SimulationRuns {
  const [seed, ...path] = environment['FACTLINE_SEED']?.split(':') ?? [];
  if (seed !== undefined) return { numRuns: path.length > 0 ? 1 : numRuns, seed: Number(seed), ...(path.length > 0 && { path: path.join(':'), endOnFailure: true }) };
  return { numRuns: Math.ceil(numRuns * Number(environment['FACTLINE_RUNS'] ?? 1)) };
}

/** Jest's limit for one test of so many runs. */
export function simulationTimeoutMs(environment: NodeJS.ProcessEnv = globalThis.process.env): number {
  return SIMULATION_TIMEOUT_MS * Math.max(1, Number(environment['FACTLINE_RUNS'] ?? 1));
}
