import { randomBytes } from 'node:crypto';
import { type Fact, defineFact } from 'factline/contracts';
import { Store } from 'factline/store';
import { migrateOutbox } from './schema.js';
import { factSchemaInSpec } from 'factline/testing';

/** Where the tests' Postgres is: any server on which this user may create databases. */
const SERVER = process.env['FACTLINE_POSTGRES_URL'] ?? missing();

export interface TestDatabase {
  store: Store;
  url: string;
  /** Another database of the same cluster. */
  elsewhere: Store;
  /** Empties the outbox as if it had just been made: cheaper than another database. */
  reset(): Promise<void>;
  drop(): Promise<void>;
}

/** Two fresh databases, one with the outbox in it. */
export async function testDatabase(connections = 16): Promise<TestDatabase> {
  const server = new Store({ url: SERVER, applicationName: 'outbox-spec', connections: 1 });
  const names = [`outbox_${randomBytes(6).toString('hex')}`, `outbox_${randomBytes(6).toString('hex')}`];
  for (const name of names) await server.query(`create database ${name}`);
  await server.query(`alter database ${names[0]} set deadlock_timeout = '20ms'`); // writers in random key order meet many
  const [url, elsewhereUrl] = names.map((name) => Object.assign(new URL(SERVER), { pathname: `/${name}` }).toString()) as [string, string];
  const store = new Store({ url, applicationName: 'outbox-spec', connections });
  const elsewhere = new Store({ url: elsewhereUrl, applicationName: 'outbox-spec', connections: 2 });
  await migrateOutbox(store);
  await store.query('create table business (id bigint generated always as identity primary key, note text)');
  return {
    store,
    url,
    elsewhere,
    reset: async () => {
      await store.query('truncate factline.outbox, factline.outbox_key, factline.outbox_held, factline.relay, factline.slot, factline.failover');
      await store.query('insert into factline.relay default values');
      await store.query('insert into factline.slot default values');
      await store.query('alter sequence factline.outbox_id restart');
    },
    drop: async () => {
      await Promise.all([store.close(), elsewhere.close()]);
      for (const name of names) await server.query(`drop database ${name} with (force)`);
      await server.close();
    },
  };
}

export const jobs = { name: 'spec.job', owner: 'spec', keyField: 'jobId', partitions: 3, kind: 'facts' as const, settings: {} };

const JobChanged = defineFact<{ jobId: string; note: string }, 'jobId'>({
  factName: 'spec.JobChanged',
  topic: jobs,
  keyField: 'jobId',
  schema: factSchemaInSpec('spec.JobChanged', [
    { name: 'jobId', type: 'string' },
    { name: 'note', type: 'string' },
  ]),
});

export const changed = (key: string, note = 'n'): Fact => JobChanged(key, { note });

export const schemaIds = { idOf: () => 7 };

function missing(): never {
  throw new Error('Set FACTLINE_POSTGRES_URL to a superuser\'s URL of a Postgres server for the int specs.');
}
