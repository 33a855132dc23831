import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { FactlineRuntime, type RuntimeStatus } from '../module/runtime.js';

type Values = (status: RuntimeStatus) => readonly { value: number; labels?: Record<string, string> }[];

const bySubscription = (value: (subscription: RuntimeStatus['reactions'][number]) => number | undefined): Values => ({ subscriptions, reactions }) =>
  [...subscriptions, ...reactions].flatMap((subscription) => {
    const measured = value(subscription);
    return measured === undefined ? [] : [{ value: measured, labels: { subscription: subscription.name } }];
  });
const byCache = (value: (cache: RuntimeStatus['caches'][number]) => number): Values => ({ caches }) => caches.map((cache) => ({ value: value(cache), labels: { cache: cache.name } }));
const one = (value: (status: RuntimeStatus) => number): Values => (status) => [{ value: value(status) }];

const GAUGES: readonly [name: string, help: string, values: Values][] = [
  ['factline_outbox_pending_facts', 'Facts stated and not yet published', one(({ outbox }) => outbox.rows)],
  ['factline_outbox_pending_bytes', 'Bytes of those', one(({ outbox }) => outbox.bytes)],
  ['factline_outbox_oldest_age_seconds', 'Age of the oldest of those', one(({ outbox }) => outbox.oldestAgeMs / 1_000)],
  ['factline_relay_owner', '1 while this process publishes', one(({ relay }) => (relay.state === 'owner' ? 1 : 0))],
  ['factline_subscription_lag_facts', 'Facts in the log and not yet applied', bySubscription(({ lag }) => lag)],
  ['factline_subscription_as_of_age_seconds', 'How old an answer may be at worst', bySubscription(({ asOfMs }) => asOfMs && Math.max(0, (Date.now() - asOfMs) / 1_000))],
  ['factline_subscription_stalled', '1 when work waits and none was done for 30 s', bySubscription(({ stalled }) => (stalled ? 1 : 0))],
  ['factline_subscription_blocked_keys', 'Keys whose facts wait behind one that cannot be applied', bySubscription(({ blockedKeys }) => blockedKeys)],
  ['factline_cache_entries', 'Keys that are cached', byCache(({ entries }) => entries)],
  ['factline_cache_stale_partitions', 'Partitions of which nothing was heard within the bound', byCache(({ regions }) => regions.filter(({ stale }) => stale).length)],
];

const COUNTERS: typeof GAUGES = [
  ['factline_relay_published_facts_total', 'Facts acknowledged by the log', one(({ relay }) => relay.publishedTotal)],
  ['factline_relay_rejected_sends_total', 'Sends that the log did not take; they are repeated', one(({ relay }) => relay.rejectedSends)],
  ['factline_relay_ticks_total', 'Looks into the outbox', one(({ relay }) => relay.ticks)],
  ['factline_subscription_facts_total', 'Facts applied', bySubscription(({ counts }) => counts.facts)],
  ['factline_subscription_transactions_total', 'Transactions they took', bySubscription(({ counts }) => counts.transactions)],
  ['factline_subscription_duplicates_total', 'Facts dropped because they were applied before', bySubscription(({ duplicates }) => duplicates)],
  ['factline_subscription_fenced_total', 'Commits refused because somebody else owns the partition', bySubscription(({ counts }) => counts.fenced)],
  ['factline_subscription_restarts_total', 'Times the client was rebuilt', bySubscription(({ counts }) => counts.restarts)],
  ['factline_subscription_rebalances_total', 'Times partitions were handed over', bySubscription(({ counts }) => counts.rebalances)],
  ['factline_cache_hits_total', 'Answers without a load', byCache(({ counts }) => counts.hits)],
  ['factline_cache_misses_total', 'Answers that needed a load', byCache(({ counts }) => counts.misses)],
  ['factline_cache_loads_total', 'Keys loaded', byCache(({ counts }) => counts.loads)],
  ['factline_cache_coalesced_total', 'Callers who shared a load', byCache(({ counts }) => counts.coalesced)],
  ['factline_cache_failures_total', 'Loads that failed', byCache(({ counts }) => counts.failures)],
  ['factline_cache_overtaken_total', 'Loads not kept because the key had changed', byCache(({ counts }) => counts.overtaken)],
  ['factline_cache_invalidations_total', 'Keys that facts changed', byCache(({ counts }) => counts.invalidations)],
  ['factline_cache_evictions_total', 'Entries that had no room', byCache(({ counts }) => counts.evictions)],
  ['factline_cache_stale_answers_total', 'Answers marked stale', byCache(({ counts }) => counts.staleServed)],
];

/** What a metric is about is in its name. */
const LABELS = ['subscription', 'cache'] as const;

/** Prometheus metrics of one app, in a registry of its own: two apps in one process do not mix. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram;

  constructor(runtime: FactlineRuntime) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to the end of the answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    for (const [name, help, values] of GAUGES) {
      const labelNames = LABELS.filter((label) => name.includes(label));
      new Gauge({ name, help, labelNames, registers, collect: function (this: Gauge) { for (const { value, labels } of values(runtime.status)) this.set(labels ?? {}, value); } });
    }
    for (const [name, help, values] of COUNTERS) {
      const labelNames = LABELS.filter((label) => name.includes(label));
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect: function (this: Counter) {
          this.reset();
          for (const { value, labels } of values(runtime.status)) this.inc(labels ?? {}, value);
        },
      });
    }
  }

  request(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route, status: String(status) }, ms / 1_000);
  }
}
