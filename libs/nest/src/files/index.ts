export type { FileChoice } from './choice.js';
export type { ReceivedFile } from './receive.js';
export { FileBody, TakesFile } from './takes-file.js';
