import { type FactDefinition, RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { type FactLog, kafkaLog } from 'factline/log';
import { Store, schemaMemory } from 'factline/store';

/** Addresses that a child process gets as its argument. */
export interface Addresses {
  kafka: readonly string[];
  registryUrl: string;
  databaseUrl: string;
  topic: string;
}

export interface Opened {
  log: FactLog;
  store: Store;
  schemas: RegisteredSchemas;
  topic: string;
  close(): Promise<void>;
}

/** What an app opens at its start. */
export async function openConnections({ kafka, registryUrl, databaseUrl, topic }: Addresses, produces: readonly FactDefinition[] = []): Promise<Opened> {
  const log = kafkaLog({ brokers: kafka, clientId: 'bench' });
  const store = new Store({ url: databaseUrl, applicationName: 'bench' });
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: registryUrl }), memory: schemaMemory(store), produces });
  await schemas.start();
  return {
    log,
    store,
    schemas,
    topic,
    close: async () => {
      await log.close();
      await store.close();
    },
  };
}
