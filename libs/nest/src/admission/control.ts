import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Load, type Priority, Shedder, TokenBucket, type Verdict, queueReading, readings } from 'factline/admission';
import { type Logger, detached, milliseconds } from 'factline/kernel';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { HttpRequest, HttpResponse } from '../http/exchange.js';
import { ADMISSION_WINDOW_MS, LOOP_DELAY_RESOLUTION_MS } from '../limits.js';
import type { Core } from '../module/core.js';
import type { RuntimeStatus } from '../module/runtime.js';
import { clientOf } from './client.js';
import type { RateChoice } from './options.js';

/** A rate as declared somewhere. */
export interface Policy {
  /** As a structured field writes it: `"EmployeesController"`. */
  name: string;
  /** The value of RateLimit-Policy. */
  described: string;
  bucket: TokenBucket;
}

/** The one shedder and the buckets of an app; measures the load while the app runs. */
export class AdmissionControl {
  readonly #shedder: Shedder;
  readonly #policies = new Map<string, Policy>();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  readonly #requests: Counter;
  #timer: NodeJS.Timeout | undefined;
  #underWay = 0;

  constructor(
    private readonly core: Core,
    private readonly status: () => RuntimeStatus,
    private readonly logger: Logger,
    registry: Registry,
  ) {
    const { minConcurrency } = core.options.admission ?? {};
    this.#shedder = new Shedder(minConcurrency === undefined ? {} : { minConcurrency });
    const registers = [registry];
    this.#requests = new Counter({
      name: 'factline_admission_requests_total',
      help: 'Requests that met the admission guard, by what it decided and why',
      labelNames: ['outcome', 'priority', 'reason'],
      registers,
    });
    const shedder = this.#shedder;
    new Gauge({ name: 'factline_admission_level', help: 'Priorities that are admitted: 3 all, 1 only critical requests', registers, collect: function (this: Gauge) { this.set(shedder.level); } });
    core.lifecycle.add('admission', () => this.#stop());
  }

  /** Begins to measure the load. */
  onApplicationBootstrap(): void {
    this.#loopDelay.enable();
    this.#timer = detached(() => setInterval(() => this.#observe(), ADMISSION_WINDOW_MS).unref())();
  }

  shed(priority: Priority): Verdict {
    const { admission } = this.core.options;
    const queue = queueReading(admission?.measure?.() ?? this.core.store, admission?.limits);
    const verdict = this.#shedder.admit(priority, this.#underWay, queue);
    if (!verdict.admitted) this.#requests.inc({ outcome: 'shed', priority, reason: verdict.because });
    return verdict;
  }

  /** Until its answer is out, or its client is gone. */
  admitted(priority: Priority, response: HttpResponse): true {
    this.#underWay += 1;
    response.once('close', () => {
      this.#underWay -= 1;
    });
    this.#requests.inc({ outcome: 'admitted', priority, reason: 'none' });
    return true;
  }

  limited(priority: Priority, { bucket }: Policy): void {
    this.#requests.inc({ outcome: 'limited', priority, reason: bucket.name });
  }

  clientOf(request: HttpRequest): string | undefined {
    return (this.core.options.admission?.client ?? clientOf)(request);
  }

  /** The bucket of a place that declares a rate, or of the module's default. */
  policy(place: string, declared: RateChoice | false | undefined): Policy | undefined {
    const rate = declared ?? this.core.options.admission?.rate;
    if (!rate) return undefined;
    let policy = this.#policies.get(place);
    if (!policy) this.#policies.set(place, (policy = this.#open(place, rate)));
    return policy;
  }

  #open(place: string, { whenUnavailable, burst, ...rate }: RateChoice): Policy {
    const bucket = new TokenBucket({
      store: this.core.store,
      name: place,
      rate,
      log: this.logger,
      ...(burst !== undefined && { burst }),
      ...(whenUnavailable && { whenUnavailable }),
    });
    const name = `"${place.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')}"`;
    return { bucket, name, described: `${name};${quotaOf(rate, bucket.allowance.burst)}` };
  }

  #observe(): void {
    const before = this.#shedder.level;
    const { admission } = this.core.options;
    this.#shedder.observe(readings(admission?.measure?.() ?? this.#load(), admission?.limits));
    const level = this.#shedder.level;
    if (Math.floor(before) !== Math.floor(level)) this.logger[level < before ? 'warn' : 'info']({ level }, level < before ? 'requests are shed' : 'fewer requests are shed');
  }

  #load(): Load {
    const { outbox, subscriptions } = this.status();
    const eventLoopDelayMs = Math.max(0, this.#loopDelay.mean / 1e6 - LOOP_DELAY_RESOLUTION_MS) || 0; // NaN when it was not measured once
    this.#loopDelay.reset();
    return {
      outboxFullness: outbox.fullness,
      lagFacts: Math.max(0, ...subscriptions.map(({ lag }) => lag ?? 0)),
      connectionWaitMs: this.core.store.connectionWaitMs,
      eventLoopDelayMs,
    };
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#loopDelay.disable();
    await Promise.all([...this.#policies.values()].map(({ bucket }) => bucket.close()));
  }
}

/** Whole seconds are all that the field can say: a shorter time is told as the count of one second. */
function quotaOf({ count, per }: RateChoice, burst: number): string {
  const seconds = milliseconds(per) / 1_000;
  const [quota, window] = seconds >= 1 ? [count, seconds] : [count / seconds, 1];
  return `q=${Math.max(1, Math.floor(quota))};w=${Math.ceil(window)}${burst === count ? '' : `;factline-burst=${Math.floor(burst)}`}`;
}
