import { FactlineError } from 'factline/kernel';
import type { CommonOptions } from './command.js';

export interface DeadLetterOptions extends CommonOptions {
  app: string;
  key?: string;
  code?: string;
  schema?: string;
  all?: boolean;
  offset?: string;
  data?: string;
  fact?: string;
  reason?: string;
  by?: string;
  dryRun?: boolean;
  canary?: string;
  rate?: string;
  stopAt?: string;
  wait?: boolean;
}

/** @throws FactlineError `cli.number` (invalid). */
export function number(name: string, text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new FactlineError({ code: 'cli.number', kind: 'invalid', message: `--${name} ${String(text)} is not a number.`, advice: `Give a number: --${name} 10` });
}
