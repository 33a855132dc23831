export type { AvroJson } from '../avro-json.js';
export { type Compatibility, checkCompatibility } from '../compatibility/compatibility.js';
export { decodeValue } from '../decode-value.js';
export { type CheckResult, type Landscape, checkContracts } from './check.js';
export type { ConsumerVerdict, Finding } from './finding.js';
export { commitTree, mergeBase } from './git.js';
export { readLandscape } from './landscape.js';
export { RULES, type RuleId } from './rules.js';
export { type FileTree, workingTree } from './tree.js';
