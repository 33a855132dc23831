import type { Store } from 'factline/store';
import type { Ground } from './ground.js';

/** A read model that a run looks at: name of its schema and table, and the columns that checkers know. */
export interface Model {
  model: string;
  store: Store;
  key: string;
  sequence: string;
  /** SQL of what a checker compares. */
  columns: string;
}

export function MODELS({ estate, tally }: Pick<Ground, 'estate' | 'tally'>): readonly Model[] {
  return [
    { model: 'payees', store: estate.store('payroll'), key: 'employee_id', sequence: 'factline_sequence', columns: 'salary_cents::float8 as value' },
    { model: 'tally', store: tally.store, key: 'key', sequence: 'last_sequence', columns: 'facts, cents::float8 as cents' },
  ];
}
