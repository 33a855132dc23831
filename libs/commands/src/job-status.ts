/** What its user may know of a job. */
export interface JobStatus {
  readonly id: string;
  readonly queue: string;
  /** The business key. */
  readonly key: string;
  /** `notifications.SendEmail` */
  readonly command: string;
  /**
   * `waiting` for its time, `queued`, `running`, `done`; `failed` for good and `blocked` behind a failed one of its key, until somebody repairs that; `cancelled`;
   * `sent`: another app handles it, and knows more.
   */
  readonly state: 'waiting' | 'queued' | 'running' | 'done' | 'failed' | 'blocked' | 'cancelled' | 'sent';
  readonly sentAt: Date;
  readonly notBefore: Date | null;
  readonly finishedAt: Date | null;
  /** Unfinished jobs of the queue before it, an estimate: keys run beside each other. null: not queued, or more than 10,000. */
  readonly position: number | null;
  /** Until it begins: from the position and what the queue did within the last minute; of a waiting one, until its time. null: nothing known. */
  readonly expectedWaitMs: number | null;
  readonly progress: { readonly share: number; readonly text: string | null } | null;
  /** What the handler returned. */
  readonly result: unknown;
  readonly problem: JobProblem | null;
}

/** Why a job failed, or what it waits behind, and what repairs it. */
export interface JobProblem {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  /** For operators: the command that does it. */
  readonly repair: string;
}

/** Nothing more comes of it by itself. */
export function isFinal({ state }: Pick<JobStatus, 'state'>): boolean {
  return state === 'done' || state === 'cancelled' || state === 'failed' || state === 'sent';
}
