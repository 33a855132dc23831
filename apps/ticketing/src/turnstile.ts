import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { TokenBucket } from 'factline/admission';
import { Jobs } from 'factline/commands';
import { SERVICE_CONFIG } from 'factline/nest';
import { Store } from 'factline/store';
import type { TicketingConfig } from './config.js';
import { LockSeat } from './contracts.generated.js';
import { QUEUE_LOOK_MS } from './limits.js';

/**
 * Says whether a request for a seat is looked at now, or waits for its turn: so many a second are let through by all processes together, and while anybody waits, whoever comes
 * waits behind them. Not promised: that order to the second, for another process learns of the first who waits up to two seconds later.
 */
@Injectable()
export class Turnstile implements OnApplicationShutdown {
  readonly #bucket: TokenBucket;
  #looked: { at: number; waiting: Promise<boolean> } | undefined;

  constructor(
    private readonly jobs: Jobs,
    store: Store,
    @Inject(SERVICE_CONFIG) { locksPerSecond }: TicketingConfig,
  ) {
    this.#bucket = new TokenBucket({ store, name: 'locks', rate: { count: locksPerSecond, per: '1s' } });
  }

  async room(): Promise<boolean> {
    if (await this.#someoneWaits()) return false;
    return (await this.#bucket.take('all')).granted;
  }

  /** Somebody was told to wait just now. */
  closed(): void {
    this.#looked = { at: performance.now(), waiting: Promise.resolve(true) };
  }

  onApplicationShutdown(): Promise<void> {
    return this.#bucket.close();
  }

  /** One look for all who ask within a second. One that fails is nobody's answer a second time. */
  #someoneWaits(): Promise<boolean> {
    if (this.#looked && performance.now() - this.#looked.at < QUEUE_LOOK_MS) return this.#looked.waiting;
    const waiting = this.jobs.queues().then((queues) => queues.some(({ queue, queued }) => queue === LockSeat.topic.name && queued > 0));
    const looked = (this.#looked = { at: performance.now(), waiting });
    waiting.catch(() => {
      if (this.#looked === looked) this.#looked = undefined;
    });
    return waiting;
  }
}
