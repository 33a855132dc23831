/** `error` and `warning` are findings, and make the check answer 100; `info` is told and changes nothing. */
export type Severity = 'error' | 'warning' | 'info';

export interface Rule {
  readonly severity: Severity;
  /** One sentence: what the rule says. */
  readonly says: string;
  /** Why anyone should care: what happens on a running system. */
  readonly why: string;
  readonly before: string;
  readonly after: string;
  /** The way that works. */
  readonly instead: string;
}
