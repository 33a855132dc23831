export { type Fixture, type FixtureOptions, everyFixture } from './every-fixture.js';
export { type GivenFact, an, specFor } from './projection-spec.js';
export { selectInSpec } from './selection.js';
export { until } from './until.js';
export { type World, type WorldAddresses, world } from './world.js';
