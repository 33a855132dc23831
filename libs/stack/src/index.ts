export { type Environment, type StackAddresses, addressesFrom, stackEnvironment } from './env.js';
export { type StackPart } from './part.js';
export { type ProgressListener, type StackProgress } from './progress.js';
export { type Stack, type StackOptions, type StackParts } from './stack.js';
export { startStack } from './start.js';
export { type StackStatus, stackStatus, stopStack } from './status.js';
