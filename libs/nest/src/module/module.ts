import { ConfigurableModuleBuilder, type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Commands, Jobs } from 'factline/commands';
import type { Logger } from 'factline/kernel';
import { FactOutbox, Relay } from 'factline/outbox';
import { Store } from 'factline/store';
import { AdmissionControl } from '../admission/control.js';
import { HealthController } from '../health/health.controller.js';
import { Metrics } from '../health/metrics.js';
import { MetricsController } from '../health/metrics.controller.js';
import { Idempotency } from '../http/idempotency.js';
import { QueueMetrics } from '../commands/queue-metrics.js';
import { SHUTDOWN_DEADLINE_MS } from '../limits.js';
import type { ServiceConfig } from '../config.js';
import { Caches } from '../caches/caches.js';
import { type Core, openCore } from './core.js';
import { type FactlineOptions, validateOptions } from './options.js';
import { ReadModels } from './read-models.js';
import { FactTransport } from '../reactions/transport.js';
import { ReactionSubscriptions } from '../reactions/subscriptions.js';
import { FactlineRuntime } from './runtime.js';
import { throughNest } from '../service-log.js';
import { FACT_LOG, OPENED, SERVICE_CONFIG, SERVICE_LOG } from './tokens.js';

const CORE = Symbol('factline core');
const LOGGER = Symbol('factline logger');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<FactlineOptions>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createFactlineOptions')
  .setExtras({ isGlobal: true }, (definition: DynamicModule, { isGlobal }: { isGlobal?: boolean }) => ({ ...definition, global: isGlobal ?? true }))
  .build();

/**
 * Facts for a Nest app: `FactlineModule.forRoot({...})` or `forRootAsync({...})`, once, in the app's root module.
 *
 * At start it brings the app's tables up to date under a lock, registers its schemas (from memory when the registry is down), creates its topics when the broker
 * answers, and runs the relay and one subscription per read model (`provideProjection`) and per group of reactions (`@ReactionController`, `provideReactions`). It provides
 * Store, FactOutbox, Commands, Jobs, Relay, Idempotency, the log as FACT_LOG, and the read models. It stops them in order within the service's deadline: intake, loops, connections.
 * @throws FactlineError at start: `nest.options`, `nest.projection-twice`, and what the database and the registry say. Kafka may be down.
 */
@Module({
  imports: [DiscoveryModule],
  controllers: [HealthController, MetricsController],
  providers: [
    { provide: LOGGER, inject: [{ token: SERVICE_LOG, optional: true }], useFactory: (log?: Logger) => log ?? throughNest() },
    {
      provide: CORE,
      inject: [MODULE_OPTIONS_TOKEN, LOGGER, { token: OPENED, optional: true }],
      useFactory: async (options: FactlineOptions, logger: Logger, opened?: (() => Promise<void>)[]) => {
        const core = await openCore(validateOptions(options), logger);
        opened?.push(() => core.lifecycle.stop(SHUTDOWN_DEADLINE_MS));
        return core;
      },
    },
    { provide: Store, inject: [CORE], useFactory: (core: Core) => core.store },
    { provide: FactOutbox, inject: [CORE], useFactory: (core: Core) => core.outbox },
    { provide: Relay, inject: [CORE], useFactory: (core: Core) => core.relay },
    { provide: FACT_LOG, inject: [CORE], useFactory: (core: Core) => core.log },
    { provide: ReadModels, inject: [CORE, LOGGER], useFactory: (core: Core, logger: Logger) => new ReadModels(core, logger) },
    { provide: Caches, inject: [CORE, LOGGER], useFactory: (core: Core, logger: Logger) => new Caches(core, logger) },
    FactTransport,
    {
      provide: ReactionSubscriptions,
      inject: [CORE, LOGGER, FactTransport, DiscoveryService],
      useFactory: (core: Core, logger: Logger, transport: FactTransport, discovery: DiscoveryService) =>
        new ReactionSubscriptions(core, logger, () => transport.subscriptions(controllersOf(discovery)), () => transport.queues(controllersOf(discovery))),
    },
    { provide: Commands, inject: [CORE, LOGGER], useFactory: ({ options: { app }, store, outbox }: Core, log: Logger) => new Commands({ app, store, outbox, log }) },
    { provide: Jobs, inject: [CORE], useFactory: (core: Core) => new Jobs(core.store, core.options.app) },
    {
      provide: FactlineRuntime,
      inject: [CORE, ReadModels, ReactionSubscriptions, Commands, Caches, LOGGER, { token: SERVICE_CONFIG, optional: true }],
      useFactory: (core: Core, models: ReadModels, reactions: ReactionSubscriptions, commands: Commands, caches: Caches, logger: Logger, config?: ServiceConfig) =>
        new FactlineRuntime(core, { models, reactions, commands, caches }, logger, config?.shutdownDeadlineMs ?? SHUTDOWN_DEADLINE_MS),
    },
    {
      provide: AdmissionControl,
      inject: [CORE, FactlineRuntime, LOGGER, Metrics, HttpAdapterHost],
      useFactory: (core: Core, runtime: FactlineRuntime, logger: Logger, { registry }: Metrics, { httpAdapter }: HttpAdapterHost) => {
        const control = new AdmissionControl(core, () => runtime.status, logger, registry);
        const { trustProxy } = core.options.admission ?? {};
        if (trustProxy !== undefined) (httpAdapter.getInstance() as { set(name: string, value: unknown): void }).set('trust proxy', trustProxy);
        return control;
      },
    },
    Idempotency,
    Metrics,
    QueueMetrics,
  ],
  exports: [Store, FactOutbox, Relay, FACT_LOG, ReadModels, ReactionSubscriptions, Idempotency, Metrics, FactlineRuntime, Commands, Jobs, Caches, AdmissionControl],
})
export class FactlineModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}

function controllersOf(discovery: DiscoveryService): object[] {
  return discovery.getControllers().flatMap(({ metatype }) => metatype ?? []);
}
