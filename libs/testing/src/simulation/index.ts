export { type SimulationRuns, simulationRuns, simulationTimeoutMs } from './runs.js';
export type { LogFaults } from './log-faults.js';
export { SimulatedCheckpoints } from './simulated-checkpoints.js';
export { SimulatedLog } from './simulated-log.js';
export { type SimulatedProcess, Simulation, type Turns } from './simulation.js';
export { type SqlLookup, type SqlValue, sqlCondition } from './sql-condition.js';
