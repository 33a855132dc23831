import type { ReceivedFact } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { ReactionRun } from 'factline/reactions';
import type { Tx } from 'factline/store';
import type { CommandHandler, HandlingParts } from './handler.js';
import { RESULT_BYTES } from './limits.js';
import { ProgressReport } from './progress.js';
import { openWireKey } from './wire-key.js';

/*
 * Says "done" before the handler runs: seen by nobody before the commit, undone with whatever fails, and one statement instead of two. The row stays locked meanwhile,
 * which is how others know that the job runs, and why a cancel cannot slip between. Of a job that another app sent there is no row yet.
 */
const TAKE = `insert into factline.job as job (id, queue, key, command, sender, sequence, state, closed_at) values ($1, $2, $3, $4, $5, $6, 'done', clock_timestamp())
  on conflict (id) do update set state = 'done', closed_at = clock_timestamp() where job.state = 'queued' returning 1`;
/** The record of a cancelled job has passed: nothing will ask for its row again, so retention may take it. */
const PASS = `update factline.job set closed_at = clock_timestamp() where id = $1 and state = 'cancelled'`;

export interface JobHandling {
  readonly queue: string;
  readonly handler: CommandHandler;
  readonly parts: HandlingParts;
}

/** Runs one command inside the transaction of its reaction, which also moves the inbox: the effect, "done" and the position are one commit. */
export async function runJob({ queue, handler, parts }: JobHandling, fact: ReceivedFact, tx: Tx, run: ReactionRun): Promise<void> {
  const { sender, key } = openWireKey(fact.key);
  const { id: job, sequence } = fact.meta;
  const { rowCount } = await tx.query(TAKE, [job, queue, key, fact.name, sender, sequence], 'factline.job_take');
  if (rowCount === 0) {
    await tx.query(PASS, [job]);
    return;
  }
  const report = new ProgressReport(job, parts.store, parts.log);
  const command = { name: fact.name, key, sender, data: fact.data, get meta() { return fact.meta; } };
  let result: unknown;
  try {
    result = await handler(command, tx, { ...run, job, progress: (share, text) => report.report(share, text) });
  } finally {
    await report.end();
  }
  await report.remove(tx);
  if (result !== undefined && result !== null) await tx.query('update factline.job set result = $2 where id = $1', [job, resultText(fact.name, result)], 'factline.job_result');
}

/** @throws FactlineError `command.result` (invalid): at the first run of a new handler, where its author sees it. */
function resultText(name: string, result: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(result);
  } catch (cause) {
    throw badResult(name, 'cannot be written as JSON', cause);
  }
  if (text === undefined) throw badResult(name, 'cannot be written as JSON');
  if (Buffer.byteLength(text) > RESULT_BYTES) throw badResult(name, `is larger than ${RESULT_BYTES} bytes`);
  return text;
}

function badResult(name: string, fault: string, cause?: unknown): FactlineError {
  return new FactlineError({ code: 'command.result', kind: 'invalid', message: `What the handler of ${name} returned ${fault}.`, advice: 'Return nothing, or a few ids and numbers; store the rest in a table.', cause });
}
