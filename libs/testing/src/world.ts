import { randomBytes } from 'node:crypto';
import { FactlineError } from 'factline/kernel';
import { type FactLog, kafkaLog } from 'factline/log';
import { Store, identifier } from 'factline/store';

export interface WorldAddresses {
  kafka: readonly string[];
  registryUrl: string;
  postgresUrl: string;
}

/** One spec's own corner of a running stack: names nobody else uses, and nothing left behind. */
export interface World extends WorldAddresses {
  /** Unique to this world; use it in topics, groups and app names. */
  readonly name: string;
  /** A fresh, empty database. */
  database(name: string): Promise<string>;
  store(databaseUrl: string): Store;
  log(): FactLog;
  /** A topic name of this world; deleted at close. */
  topic(name: string): string;
  /** Runs at close, last first. */
  onClose(stop: () => Promise<unknown>): void;
  close(): Promise<void>;
}

/**
 * Joins the stack whose addresses are in the environment, as `npm test` sets them.
 * @throws FactlineError `testing.no-stack` (configuration) when they are not.
 */
export async function world(env: NodeJS.ProcessEnv = globalThis.process.env): Promise<World> {
  const addresses = addressesFrom(env);
  const name = `w${randomBytes(4).toString('hex')}`;
  const stops: (() => Promise<unknown>)[] = [];
  const topics = new Set<string>();
  const admin = new Store({ url: addresses.postgresUrl, applicationName: `${name} admin`, connections: 1 });
  const open = async (database: string) => {
    await admin.query(`create database ${identifier(database)}`);
    stops.push(() => dropDatabase(admin, database));
    const url = new URL(addresses.postgresUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  return {
    ...addresses,
    name,
    database: (base) => open(`${name}_${base}`),
    store: (url) => {
      const store = new Store({ url, applicationName: name });
      stops.push(() => store.close());
      return store;
    },
    log: () => {
      const log = kafkaLog({ brokers: addresses.kafka, clientId: name });
      stops.push(() => log.close());
      return log;
    },
    topic: (base) => {
      const topic = `${name}.${base}`;
      topics.add(topic);
      return topic;
    },
    onClose: (stop) => void stops.push(stop),
    close: async () => {
      const failures: unknown[] = [];
      for (const stop of stops.toReversed()) await stop().catch((error: unknown) => failures.push(error));
      await deleteTopics(addresses, name, [...topics]).catch((error: unknown) => failures.push(error));
      await admin.close();
      if (failures.length > 0) throw new AggregateError(failures, 'parts of the world did not stop');
    },
  };
}

async function deleteTopics({ kafka }: WorldAddresses, clientId: string, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  const log = kafkaLog({ brokers: kafka, clientId });
  try {
    for (const topic of topics) {
      const exists = await log.describe([topic]).then(
        () => true,
        () => false, // never created by this spec
      );
      if (exists) await log.deleteTopics([topic]);
    }
  } finally {
    await log.close();
  }
}

/** The replay role belongs to the cluster, not to the database, so it is dropped by name. */
async function dropDatabase(admin: Store, database: string): Promise<void> {
  await admin.query(`drop database if exists ${identifier(database)} with (force)`);
  await admin.query(`drop role if exists ${identifier(`factline_replay_${database}`)}`);
}

function addressesFrom(env: NodeJS.ProcessEnv): WorldAddresses {
  const { FACTLINE_KAFKA: kafka, FACTLINE_REGISTRY_URL: registryUrl, FACTLINE_POSTGRES_URL: postgresUrl } = env;
  if (kafka && registryUrl && postgresUrl) return { kafka: kafka.split(','), registryUrl, postgresUrl };
  throw new FactlineError({
    code: 'testing.no-stack',
    kind: 'configuration',
    message: 'This spec needs the real stack, and FACTLINE_KAFKA, FACTLINE_REGISTRY_URL and FACTLINE_POSTGRES_URL are not all set.',
    advice: 'Run it through `npm test -- <path>`, which starts one.',
  });
}
