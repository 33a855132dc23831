export { type Fixture, type FixtureOptions, everyFixture } from './every-fixture.js';
export { type GivenFact, an, specFor } from './projection-spec.js';
export { selectInSpec } from './selection.js';
export { type SimulationRuns, simulationRuns } from './simulation/runs.js';
export type { LogFaults } from './simulation/log-faults.js';
export { SimulatedLog } from './simulation/simulated-log.js';
export { type SimulatedProcess, Simulation, type Turns } from './simulation/simulation.js';
export { until } from './until.js';
export { type World, type WorldAddresses, world } from './world.js';
