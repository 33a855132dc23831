import { FactlineError, Refusal } from 'factline/kernel';
import type { Tx } from 'factline/store';
import { CANCEL_WAIT_MS } from './limits.js';

type State = 'queued' | 'waiting' | 'sent' | 'done' | 'failed' | 'cancelled';

/** Takes a job back that has not begun, with the transaction. @throws FactlineError `job.unknown` (not-found); `job.running`, `job.finished`, `job.elsewhere` (conflict). */
export async function cancelJob(tx: Tx, id: string): Promise<void> {
  // In the order in which they are taken when its time comes. Held while it is sent on just now: then it is queued behind this.
  await tx.query('select from factline.waiting_command where id = $1 for update', [id]);
  const state = await hold(tx, id);
  if (state === 'cancelled') return;
  if (state === 'sent') throw elsewhere(id);
  if (state === 'done' || state === 'failed') throw finished(id, state);
  await tx.query(`update factline.job set state = 'cancelled', closed_at = case when state = 'waiting' then clock_timestamp() end where id = $1`, [id]);
  await tx.query('delete from factline.waiting_command where id = $1', [id]);
}

/** Whoever looks at the job holds it for less than a millisecond; who holds it longer runs it. */
async function hold(tx: Tx, id: string): Promise<State> {
  try {
    await tx.query(`set local lock_timeout = ${CANCEL_WAIT_MS}`);
    const { rows } = await tx.query<{ state: State }>('select state from factline.job where id = $1 for no key update', [id]);
    await tx.query('set local lock_timeout to default');
    if (rows[0]) return rows[0].state;
  } catch (error) {
    throw error instanceof FactlineError && error.code === 'store.locked' ? running(id) : error;
  }
  throw unknown(id);
}

/** Neither here nor handled here yet. */
export function unknown(id: string): FactlineError {
  return new Refusal({ code: 'job.unknown', kind: 'not-found', message: `There is no job ${id}.`, advice: 'Ask with the id that the send answered, the app that handles the queue; finished jobs are kept for a while only.' });
}

function running(id: string): FactlineError {
  return new Refusal({ code: 'job.running', kind: 'conflict', message: `The job ${id} runs.`, advice: 'It cannot be taken back any more; look at its end.' });
}

function finished(id: string, state: string): FactlineError {
  return new Refusal({ code: 'job.finished', kind: 'conflict', message: `The job ${id} is ${state}.`, advice: 'What was done stays done: ask for the opposite.' });
}

function elsewhere(id: string): FactlineError {
  return new Refusal({ code: 'job.elsewhere', kind: 'conflict', message: `The job ${id} was handed to the app that owns its queue.`, advice: 'Cancel it there.' });
}
