import type { ReceivedFact } from 'factline/contracts';
import { type Tx, causedBy } from 'factline/store';
import type { Inbox, Step } from './inbox.js';
import type { Handler, Reactions } from './reaction.js';
import { asFactlineError, overtaken, timedOut } from './verdict.js';

export interface Handling {
  readonly reactions: Reactions;
  readonly inbox: Inbox;
  readonly topic: string;
  readonly handler: Handler;
  readonly facts: readonly ReceivedFact[];
  /** How far this takes their keys. */
  readonly steps: readonly Step[];
  readonly attempt: number;
  readonly redriven: boolean;
}

/** Effect and inbox in one transaction; what is stated in it says what caused it. @throws what the handler threw; `reaction.timeout`, `reaction.overtaken`. */
export async function handle(tx: Tx, { reactions, inbox, topic, handler, facts, steps, attempt, redriven }: Handling): Promise<void> {
  const [only, another] = facts;
  if (only && !another) causedBy(tx, () => ({ correlationId: only.meta.correlationId, causationId: only.meta.id }));
  const moved = inbox.move(tx, topic, steps); // travels with the handler's first statement
  moved.catch(() => undefined); // looked at below
  try {
    await withinTime(reactions, (signal) => handler.run(facts, tx, { attempt, redriven, signal }));
  } catch (error) {
    // What failed because the inbox says no is not the handler's failure.
    if (!(await moved.catch((refused: unknown) => Promise.reject(asFactlineError(refused, reactions.name))))) throw overtaken();
    throw error;
  }
  if (!(await moved)) throw overtaken();
}

async function withinTime({ name, timeoutMs }: Reactions, run: (signal: AbortSignal) => unknown): Promise<void> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = timedOut(name, timeoutMs);
      late.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    await Promise.race([run(late.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
