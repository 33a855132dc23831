import type { Store } from 'factline/store';
import type { Ground } from './ground.js';

/** A read model that a run looks at, or a reaction with its effects: name of its schema and table, and the columns that checkers know. */
export interface Model {
  model: string;
  store: Store;
  key: string;
  sequence: string;
  /** SQL of what a checker compares. */
  columns: string;
}

export function MODELS({ estate, tally, payslips }: Pick<Ground, 'estate' | 'tally' | 'payslips'>): readonly Model[] {
  return [
    { model: 'payees', store: estate.store('payroll'), key: 'employee_id', sequence: 'factline_sequence', columns: 'salary_cents::float8 as value' },
    { model: 'tally', store: tally.store, key: 'key', sequence: 'last_sequence', columns: 'facts, cents::float8 as cents' },
    { model: 'payslips', store: payslips.store, key: 'key', sequence: 'sequence', columns: 'redriven' },
  ];
}
