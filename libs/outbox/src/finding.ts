export interface OutboxFinding {
  /** Stable: `outbox.no-relay`. */
  code: string;
  severity: 'problem' | 'warning';
  message: string;
  advice: string;
  details?: Readonly<Record<string, unknown>>;
}

/** A session that keeps the relay from something, for the human who decides whether to end it. */
export interface HoldingSession {
  /** null for a prepared transaction, which has no session. */
  pid: number | null;
  application: string;
  database: string;
  state: string;
  ageMs: number;
  /** First 120 characters; empty without the privilege to read it (role pg_read_all_stats). */
  query: string;
}
