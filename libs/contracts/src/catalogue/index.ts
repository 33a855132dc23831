export { generateCatalogue } from './catalogue.js';
export { type Fixtures, fixturesOf } from '../values/fixtures.js';
