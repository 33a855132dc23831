export { type Fixture, type FixtureOptions, everyFixture } from './every-fixture.js';
export { type GivenFact, an, specFor } from './projection-spec.js';
export { type RecordedSpan, RecordingTracing } from './recording-tracing.js';
export { type FactOwner, factOwner } from './fact-owner.js';
export { factSchemaInSpec, selectCommandInSpec, selectInSpec } from './selection.js';
export { topicRecords } from './topic-records.js';
export { until } from './until.js';
export { type World, type WorldAddresses, world } from './world.js';
