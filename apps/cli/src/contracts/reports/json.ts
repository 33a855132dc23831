import type { Report } from './telling.js';

/** For programs. `version` counts changes that a reader of the former form would not survive. */
export const json: Report = (output, { findings, consumers, facts, reduced }, against) => {
  const data = { version: 1, against, ...(reduced && { reduced }), facts, findings, consumers };
  output.print(data, JSON.stringify(data));
};
