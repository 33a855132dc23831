/** Where `@Admission` leaves its choice. */
export const ADMISSION = Symbol('factline admission');
/** On controllers that no guard sheds or limits: probes must say that a busy process is alive. */
export const ALWAYS_ADMITTED = Symbol('factline always admitted');
