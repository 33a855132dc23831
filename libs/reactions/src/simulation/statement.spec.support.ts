import { type SqlValue, sqlCondition } from 'factline/testing/simulation';
import type { Plan, Row, RowLock, Values, View } from './database.spec.support.js';

/** The one subscription of the simulated world. */
export const NAME = 'mails';
/** What handlers write: $1 key, $2 sequence, $3 what, $4 whether it was a re-drive. */
export const NOTE = 'insert into journal (key, sequence, what, redriven) values ($1, $2, $3, $4)';

/** What a statement is about, as it is planned. */
export interface Asked {
  match: RegExpExecArray;
  values: Values;
  view: View;
  free: (row: string) => boolean;
}

export type Statement = readonly [pattern: RegExp, plan: (asked: Asked) => Plan];

/** Evaluates a condition as it is written. Names are looked up in rows, by what stands before the dot. */
export function holds(condition: string, values: Values): (rows: Readonly<Record<string, Row | undefined>>) => boolean {
  const compiled = sqlCondition(condition);
  return (rows) =>
    compiled((name) => {
      if (name.startsWith('$')) return values[Number(name.slice(1)) - 1] as SqlValue;
      const [of, column] = name.includes('.') ? (name.split('.') as [string, string]) : ['', name];
      return (rows[of]?.[column] ?? null) as SqlValue;
    });
}

export const exclusive = (row: string): RowLock => ({ row, mode: 'exclusive' });
export const shared = (row: string): RowLock => ({ row, mode: 'shared' });

let serial = 0;
export const nextSerial = () => String(++serial).padStart(9, '0');
