import type { ReceivedFact } from 'factline/contracts';
import { type Tx, causedBy, partOf, tracedBy } from 'factline/store';
import type { Inbox, Step } from './inbox.js';
import type { Handler, ReactionRun, Reactions } from './reaction.js';
import { asFactlineError, overtaken, timedOut } from './verdict.js';

interface Call {
  readonly handler: Handler;
  readonly facts: readonly ReceivedFact[];
}

export interface Handling {
  readonly reactions: Reactions;
  readonly inbox: Inbox;
  readonly topic: string;
  /** One, or several that share the transaction. */
  readonly calls: readonly Call[];
  /** How far this takes their keys. */
  readonly steps: readonly Step[];
  readonly attempt: number;
  readonly redriven: boolean;
  /** Of the span it runs in: facts stated by the handler carry it on. */
  readonly traceparent: string | undefined;
}

/** Effect and inbox in one transaction; what is stated in it says what caused it, and continues its trace. @throws what the handler threw; `reaction.timeout`, `reaction.overtaken`. */
export async function handle(tx: Tx, { reactions, inbox, topic, calls, steps, attempt, redriven, traceparent }: Handling): Promise<void> {
  const moved = inbox.move(tx, topic, steps); // travels with the handler's first statement
  moved.catch(() => undefined); // looked at below
  try {
    await withinTime(reactions, (signal) => (calls.length === 1 ? runOne(calls[0]!, tx, { attempt, redriven, signal }, traceparent) : runAll(calls, tx, { attempt, redriven, signal }, traceparent)));
  } catch (error) {
    // What failed because the inbox says no is not the handler's failure.
    if (!(await moved.catch((refused: unknown) => Promise.reject(asFactlineError(refused, reactions.name))))) throw overtaken();
    throw error;
  }
  if (!(await moved)) throw overtaken();
}

function runOne({ handler, facts }: Call, tx: Tx, run: ReactionRun, traceparent: string | undefined): unknown {
  const [only, another] = facts;
  if (only && !another) causedBy(tx, () => ({ correlationId: only.meta.correlationId, causationId: only.meta.id }));
  if (traceparent !== undefined) tracedBy(tx, traceparent);
  return handler.run(facts, tx, run);
}

/** Beside each other on one connection. All end before the transaction does, or the ones that go on would find it closed. */
async function runAll(calls: readonly Call[], tx: Tx, run: ReactionRun, traceparent: string | undefined): Promise<void> {
  const ended = await Promise.allSettled(calls.map(async (call) => runOne(call, partOf(tx), run, traceparent)));
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed) await Promise.reject(failed.reason as Error);
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
