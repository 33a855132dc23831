import { ofType } from '../history.js';
import type { Checker } from './finding.js';

/** An idle app of this repository uses 40 to 60 MB of heap; a queue without a limit passes this within a minute of a stopped broker. */
export const HEAP_BYTES_MAX = 400 * 1024 * 1024;

export const boundedHeap: Checker = {
  invariant: 'INV-14',
  says: `no process uses more than ${HEAP_BYTES_MAX / 1024 / 1024} MiB of heap`,
  check: (history) =>
    ofType(history, 'sample')
      .filter(({ heapBytes }) => heapBytes > HEAP_BYTES_MAX)
      .map(({ instance, at, heapBytes }) => ({ invariant: 'INV-14', class: 'unbounded' as const, what: `${instance} used ${heapBytes} bytes of heap at ${new Date(at).toISOString()}` })),
};

/** After the last fault everything is published and applied within a time: Jepsen's `unseen` is empty. */
export const liveness: Checker = {
  invariant: 'INV-15',
  says: 'after the last fault everything is published and applied in time',
  check: (history) => [
    ...ofType(history, 'quiet')
      .filter(({ reached }) => !reached)
      .map(({ withinMs, left }) => ({ invariant: 'INV-15', class: 'unseen' as const, what: `not quiet within ${withinMs} ms: ${left}` })),
    ...ofType(history, 'pending').map(({ key, sequence }) => ({ invariant: 'INV-15', class: 'unseen' as const, what: `${key}/${sequence} still waits in the outbox` })),
    ...ofType(history, 'position')
      .filter(({ next, end }) => next < end)
      .map(({ model, partition, next, end }) => ({ invariant: 'INV-15', class: 'unseen' as const, what: `${model}[${partition}] stands at ${next} of ${end}` })),
  ],
};
