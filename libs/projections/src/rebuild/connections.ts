import { RegisteredSchemas, SchemaRegistry, type WriterSchemas } from 'factline/contracts';
import { type FactLog, type KafkaLogOptions, kafkaLog } from 'factline/log';
import { Store, schemaMemory } from 'factline/store';
import { REBUILD_CONNECTIONS } from '../limits.js';
import { replayRole } from '../tables.js';

/** Addresses only, so that they can be sent to a thread. */
export interface RebuildConnections {
  databaseUrl: string;
  kafka: Pick<KafkaLogOptions, 'brokers' | 'ssl' | 'sasl'>;
  registryUrl: string;
}

export interface Connected {
  log: FactLog;
  store: Store;
  schemas: WriterSchemas;
  close(): Promise<void>;
}

/** Opens what a rebuild works with: no producer is built, and the database role has no right to the outbox, so side effects are impossible, not suppressed. */
export async function connect(connections: RebuildConnections, name: string): Promise<Connected> {
  const asApp = new Store({ url: connections.databaseUrl, applicationName: name, connections: 1 });
  let role: string;
  try {
    role = await replayRole(asApp);
  } finally {
    await asApp.close();
  }
  const store = new Store({ url: connections.databaseUrl, applicationName: name, connections: REBUILD_CONNECTIONS, role });
  const log = kafkaLog({ ...connections.kafka, clientId: 'factline-replay' });
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: connections.registryUrl }), memory: schemaMemory(store) });
  const close = async () => {
    await log.close();
    await store.close();
  };
  try {
    await schemas.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { log, store, schemas, close };
}
