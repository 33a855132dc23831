import { pause } from 'factline/kernel';
import type { ReactionDeadLetters, Redrive } from 'factline/reactions';
import { cancellation } from './command.js';
import type { DeadLetterOptions } from './dead-letter-options.js';
import { EXIT_CODES, type Output, count } from './output.js';

const LOOK_INTERVAL = 250;
/** Without any progress for so long, it is said that the app may not be running. */
const STANDS_STILL = 10_000;

/** Looks on while the app does it. Interrupted, it goes on all the same. */
export async function followRedrive(letters: ReactionDeadLetters, asked: Redrive, output: Output, { wait = true }: DeadLetterOptions): Promise<number> {
  if (!wait) {
    output.print({ event: 'asked', ...asked }, `re-drive ${asked.id}: ${count(asked.keys)} keys; the app does it`);
    return 0;
  }
  const { signal, release } = cancellation();
  let seen = asked;
  let [changedAt, told] = [performance.now(), false];
  try {
    while (seen.state === 'running' && !signal.aborted) {
      await pause(LOOK_INTERVAL, signal);
      const now = (await letters.redrive(asked.id))!;
      if (now.facts !== seen.facts || now.tried !== seen.tried) changedAt = performance.now();
      seen = now;
      if (!told && performance.now() - changedAt > STANDS_STILL) {
        told = true;
        output.print({ event: 'waiting', ...seen }, 'nothing has been tried for 10 s: it waits until the app runs, and for what the app waits for');
      }
    }
  } finally {
    release();
  }
  const { state, facts, tried, failed, keys, outcome } = seen;
  const said = `${count(facts)} facts of ${count(tried - failed)} keys handled${failed > 0 ? `; ${count(failed)} keys are blocked still` : ''}`;
  if (state === 'running') output.print({ event: 'left', ...seen }, `${said}; it goes on in the app (re-drive ${asked.id})`);
  else output.print({ event: state, ...seen }, said, ...(outcome ? [`stopped, ${count(keys - tried)} keys left as they are: ${outcome}`] : []));
  return state === 'done' && failed === 0 ? 0 : EXIT_CODES.findings;
}
