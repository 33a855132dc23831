export { type TrimPlan, planTrims } from '../trim/trim.js';
export { type Change, type Evolution, evolve } from './evolve.js';
