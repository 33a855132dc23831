export { Admission } from './admission.decorator.js';
export { AdmissionGuard } from './admission.guard.js';
export type { AdmissionChoice, AdmissionOptions, RateChoice } from './options.js';
