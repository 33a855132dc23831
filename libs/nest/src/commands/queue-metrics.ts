import { Injectable } from '@nestjs/common';
import { Jobs, type QueueStatus } from 'factline/commands';
import { Gauge } from 'prom-client';
import { Metrics } from '../health/metrics.js';
import { QUEUE_LOOK_MS } from '../limits.js';

const GAUGES: readonly [name: string, help: string, value: (queue: QueueStatus) => number][] = [
  ['factline_queue_queued_jobs', 'Jobs that are not done and not stuck, counted up to 10,000', ({ queued }) => queued],
  ['factline_queue_waiting_jobs', 'Jobs whose time has not come, counted up to 10,000', ({ waiting }) => waiting],
  ['factline_queue_failed_jobs', 'Jobs that failed and wait for a repair', ({ failed }) => failed],
  ['factline_queue_blocked_jobs', 'Jobs behind failed ones of their keys', ({ blocked }) => blocked],
  ['factline_queue_done_jobs_per_second', 'Jobs done within the last minute, a second', ({ ratePerSecond }) => ratePerSecond],
  ['factline_queue_oldest_wait_seconds', 'How long the oldest queued job has waited', ({ oldestWaitMs }) => oldestWaitMs / 1_000],
];

/** The queues of an app among its metrics. Measured when they are asked for, by one look for all gauges: a process that nobody scrapes asks nothing. */
@Injectable()
export class QueueMetrics {
  constructor(metrics: Metrics, jobs: Jobs) {
    let looked: { at: number; queues: Promise<QueueStatus[]> } | undefined;
    const look = () => (looked && performance.now() - looked.at < QUEUE_LOOK_MS ? looked : (looked = { at: performance.now(), queues: jobs.queues().catch(() => []) })).queues; // without the database there is nothing to say of queues, and much of the rest
    for (const [name, help, value] of GAUGES) {
      new Gauge({
        name,
        help,
        labelNames: ['queue'],
        registers: [metrics.registry],
        collect: async function (this: Gauge) {
          this.reset();
          for (const queue of await look()) this.set({ queue: queue.queue }, value(queue));
        },
      });
    }
  }
}
