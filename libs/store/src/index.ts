export { type Migration, migrate } from './migrations.js';
export { migrateSchemaMemory, schemaMemory } from './schema-memory.js';
export { Session } from './session.js';
export { identifier, tableExists } from './sql.js';
export { Store, type StoreOptions, type TransactionOptions } from './store.js';
export { type Executor, type Result, type Tx, assertTx, causeOf, causedBy, fromPg, partOf, traceOf, tracedBy } from './tx.js';
