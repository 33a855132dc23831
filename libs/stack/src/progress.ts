import { messageOf } from 'factline/kernel';
import { PROGRESS_INTERVAL_MS } from './limits.js';

/** One statement about work that takes seconds or minutes. */
export interface StackProgress {
  /** What is being done: `download Apache Kafka 4.3.1`. */
  readonly step: string;
  /** `running` comes every second while it lasts. */
  readonly state: 'started' | 'running' | 'done';
  /** How far: `54 of about 109 MB`. */
  readonly detail?: string;
  readonly elapsedMs: number;
}

export type ProgressListener = (progress: StackProgress) => void;

/** Writes one line a statement, for a terminal or a CI log. */
export function progressTo(stream: { write(text: string): unknown }): ProgressListener {
  return ({ step, state, detail, elapsedMs }) => {
    const time = state === 'started' ? '' : `${(elapsedMs / 1_000).toFixed(1)} s`;
    stream.write(`stack  ${[step, state === 'done' ? 'done' : '', detail ?? '', time].filter(Boolean).join('  ')}\n`);
  };
}

/** Runs `work` and tells its start, each second of it, and its end. */
export async function reported<T>(listener: ProgressListener, step: string, work: () => Promise<T>, howFar?: () => Promise<string>): Promise<T> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  let working = true;
  listener({ step, state: 'started', elapsedMs: 0 });
  const say = (detail: string | undefined) => {
    if (working) listener({ step, state: 'running', ...(detail === undefined ? {} : { detail }), elapsedMs: elapsed() });
  };
  const timer = setInterval(() => {
    Promise.resolve(howFar?.()).then(say, (error: unknown) => say(`unknown how far: ${messageOf(error)}`));
  }, PROGRESS_INTERVAL_MS);
  try {
    const result = await work();
    working = false;
    listener({ step, state: 'done', elapsedMs: elapsed() });
    return result;
  } finally {
    working = false;
    clearInterval(timer);
  }
}
