export { type AppliedStep, applyPlan } from './apply.js';
export { type History } from './history.js';
export { formatLock, readLock } from './lock.js';
export { type PlannedSubject, planRegistry } from './plan.js';
export { type Pulled, pullLock } from './pull.js';
export { type WriterVersion, writersOf } from './writers.js';
