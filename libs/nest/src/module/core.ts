import { migrateAdmission } from 'factline/admission';
import { migrateCommands } from 'factline/commands';
import { RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { FactlineError, Lifecycle, type Logger, Signal, backoffMs, milliseconds, pause } from 'factline/kernel';
import { type FactLog, kafkaLog } from 'factline/log';
import { FactOutbox, Relay, migrateOutbox } from 'factline/outbox';
import { migrateProjections } from 'factline/projections';
import { migrateReactions } from 'factline/reactions';
import { Store, migrate, schemaMemory } from 'factline/store';
import type { Tracing } from 'factline/tracing';
import { migrateIdempotency } from '../http/idempotency.js';
import { DATABASE_START_WAIT_MS } from '../limits.js';
import { openTelemetry } from '../open-telemetry.js';
import type { FactlineOptions } from './options.js';

/** Everything of an app that does not depend on its handlers, opened in order: database, its tables, schema ids; the log connects when first used. */
export interface Core {
  options: FactlineOptions;
  store: Store;
  schemas: RegisteredSchemas;
  log: FactLog;
  outbox: FactOutbox;
  relay: Relay;
  tracing: Tracing;
  /** Stops in the opposite order: connections last. */
  lifecycle: Lifecycle;
}

/**
 * @throws FactlineError of the store when the database does not answer for 30 s or has other migrations; `registry.unavailable` when the registry is down and
 * has never been seen; `registry.incompatible`. What was opened is closed again.
 */
export async function openCore(options: FactlineOptions, logger: Logger): Promise<Core> {
  const { app, databaseUrl, registryUrl, kafka, produces = [], connections } = options;
  const lifecycle = new Lifecycle(logger);
  const store = new Store({ url: databaseUrl, applicationName: `factline ${app}`, log: logger, ...(connections && { connections }) });
  lifecycle.add('database connections', () => store.close());
  try {
    await prepareTables(store, options, logger);
    const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: registryUrl }), memory: schemaMemory(store), produces, log: logger });
    await schemas.start();
    const log = kafkaLog({ ...kafka, clientId: kafka.clientId ?? app, log: logger });
    lifecycle.add('log', () => log.close());
    const wake = new Signal();
    const tracing = openTelemetry();
    const outbox = new FactOutbox({ store, schemaIds: schemas, wake, traceparent: () => tracing.current(), log: logger, ...(options.limits && { limits: options.limits }) });
    const relay = relayOf(options, { store, log, wake, tracing, logger });
    return { options, store, schemas, log, outbox, relay, tracing, lifecycle };
  } catch (error) {
    await lifecycle.stop(milliseconds('5s'));
    throw error;
  }
}

async function prepareTables(store: Store, { app, migrations = [] }: FactlineOptions, logger: Logger): Promise<void> {
  const deadline = performance.now() + DATABASE_START_WAIT_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      await migrateProjections(store);
      await migrateReactions(store);
      await migrateOutbox(store);
      await migrateCommands(store);
      await migrateIdempotency(store);
      await migrateAdmission(store);
      await migrate(store, `app ${app}`, migrations);
      return;
    } catch (error) {
      if (!(error instanceof FactlineError && error.retry) || performance.now() > deadline) throw error;
      logger.warn({ code: error.code, attempt }, 'the database does not answer; trying again');
      await pause(backoffMs(attempt, { maxDelay: '2s' }));
    }
  }
}

function relayOf({ app, produces = [], relay }: FactlineOptions, parts: { store: Store; log: FactLog; wake: Signal; tracing: Tracing; logger: Logger }): Relay {
  const topics = [...new Map(produces.map(({ topic }) => [topic.name, topic])).values()];
  return new Relay({ ...parts, app, topics, ...(relay || undefined), enabled: relay !== false && (relay?.enabled ?? topics.length > 0) });
}
