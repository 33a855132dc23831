import { type Duration, milliseconds } from 'factline/kernel';
import type { Store } from 'factline/store';

/**
 * For specs and drills: makes the time of this app's commands run ahead of its database's clock, in every process, so that what waits for a week is due now. It adds up, and
 * never goes back. Nothing but commands (`notBefore`, schedules) goes by it.
 */
export async function advanceCommandClock(store: Store, by: Duration): Promise<void> {
  await store.query(`update factline.command_clock set ahead = ahead + $1 * interval '1 millisecond'`, [milliseconds(by)]);
}
