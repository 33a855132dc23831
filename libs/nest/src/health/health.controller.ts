import { Controller, Get, Res, SetMetadata } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { SubscriptionStatus } from 'factline/consumer';
import { messageOf, pause } from 'factline/kernel';
import { Store } from 'factline/store';
import { ALWAYS_ADMITTED } from '../admission/metadata.js';
import type { HttpResponse } from '../http/exchange.js';
import { READY_TIMEOUT_MS } from '../limits.js';
import { ReadModels } from '../module/read-models.js';
import { FactlineRuntime } from '../module/runtime.js';

const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

function plain<Status extends SubscriptionStatus>({ asOfMs: _inMemory, lastCompletedMs, partitions, trouble, ...rest }: Status) {
  return {
    ...rest,
    lastCompletedAt: iso(lastCompletedMs),
    trouble: trouble ? { ...trouble, sinceMs: undefined, since: iso(trouble.sinceMs) } : null,
    partitions: partitions.map(({ topic, partition, nextOffset, endOffset, lag }) => ({ topic, partition, nextOffset, endOffset, lag })),
  };
}

/**
 * live: this process makes progress. Restarting it helps when a subscription has work and does none; it never helps against a broker or registry that is down.
 * ready: requests can be answered, which takes the database alone. The full page says everything, for people and the console.
 */
@ApiExcludeController()
@SetMetadata(ALWAYS_ADMITTED, true)
@Controller('health')
export class HealthController {
  constructor(
    private readonly runtime: FactlineRuntime,
    private readonly store: Store,
    private readonly models: ReadModels,
  ) {}

  @Get('live')
  live(@Res({ passthrough: true }) response: HttpResponse) {
    const stalled = [...this.runtime.status.subscriptions, ...this.runtime.status.reactions].filter((subscription) => subscription.stalled).map(({ name }) => name);
    response.status(stalled.length > 0 ? 503 : 200);
    return { live: stalled.length === 0, ...(stalled.length > 0 && { stalled }) };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) response: HttpResponse) {
    const trouble = this.runtime.stopping ? 'stopping' : await this.#databaseTrouble();
    response.status(trouble ? 503 : 200);
    return { ready: !trouble, ...(trouble && { trouble }) };
  }

  @Get()
  async all() {
    const { app, topics, relay, outbox, subscriptions, reactions, caches } = this.runtime.status;
    const trouble = await this.#databaseTrouble();
    return {
      app,
      database: { state: trouble ? 'unavailable' : 'ok', ...(trouble && { trouble }) },
      topics,
      relay: { ...relay, lastProgressAt: relay.lastProgressAt === undefined ? null : iso(relay.lastProgressAt) },
      outbox,
      subscriptions: await Promise.all(subscriptions.map(async (subscription) => ({ ...plain(subscription), asOf: trouble ? null : ((await this.models.asOf(subscription.name))?.toISOString() ?? null) }))),
      reactions: reactions.map((subscription) => ({ ...plain(subscription), asOf: iso(subscription.asOfMs) })),
      caches: caches.map(({ regions, ...rest }) => ({ ...rest, partitions: regions.map(({ asOfMs, ...region }) => ({ ...region, asOf: iso(asOfMs ?? undefined) })) })),
    };
  }

  async #databaseTrouble(): Promise<string | undefined> {
    const timeout = new AbortController();
    const answer = this.store.query('select 1').then(
      () => undefined,
      (error: unknown) => messageOf(error),
    );
    try {
      return await Promise.race([answer, pause(READY_TIMEOUT_MS, timeout.signal).then(() => `no answer within ${READY_TIMEOUT_MS} ms`)]);
    } finally {
      timeout.abort();
    }
  }
}
