export { changesSince } from '../check/changes.js';
export type { DeclaredChange } from '../check/declared-change.js';
export { type TrimPlan, planTrims } from '../trim/trim.js';
export { type Change, type Evolution, evolve } from './evolve.js';
export { checkGenerated, generate } from '../generate.js';
export { regenerate } from './regenerate.js';
export { replaceFile } from '../trees/replace-file.js';
export { type Starter, writeStarter } from './starter.js';
export { type FileChange, Workspace } from './workspace.js';
