import { FactlineError } from 'factline/kernel';

/** Probabilities, by request. */
export interface LogFaults {
  /** The broker refuses it, as while a leader moves. */
  refused: number;
  /** A send is stored and the answer says it failed. */
  storedAndRefused: number;
  /** A send is stored, and no answer comes within the client's time for requests. */
  unanswered: number;
  /** A send is stored twice, as by a client that repeats it under the surface; of a fetch, the records before it come again. */
  repeated: number;
  /** A fetch brings some of the records only. */
  truncated: number;
}

export const NO_FAULTS: LogFaults = { refused: 0, storedAndRefused: 0, unanswered: 0, repeated: 0, truncated: 0 };

export function refused(): FactlineError {
  return new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message: 'The broker does not take it now.' });
}
