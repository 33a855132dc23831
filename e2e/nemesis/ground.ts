import { createServer } from 'node:net';
import type { WriterSchemas } from 'factline/contracts';
import { type Stack, startStack } from 'factline/stack';
import type { Store } from 'factline/store';
import { openDatabase } from '../../bench/scene.js';
import { type Estate, estate } from '../support/estate.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { migratePayslips } from './payslips.js';

/** A stack of its own, with a fault proxy in front of each part: apps go through the proxies, the nemesis itself asks the databases directly. */
export interface Ground {
  stack: Stack;
  parts: NonNullable<Stack['parts']>;
  /** To Postgres there are two: one for a single process (payroll-1), one for all others. */
  proxies: { kafka: readonly FaultProxy[]; postgres: FaultProxy; single: FaultProxy; registry: FaultProxy };
  estate: Estate;
  /** The counting read model has a database of its own, as every app has. */
  tally: { url: string; throughProxy: string; store: Store };
  /** And so has the reaction. */
  payslips: { throughProxy: string; store: Store; schemas: WriterSchemas };
  /** Direct, for what checks. */
  registryUrl: string;
  close(): Promise<void>;
}

/** The range from which the stack takes its ports: below those from which systems dial. */
const [FIRST_PORT, PORTS] = [20_000, 12_000];
const PORT_ATTEMPTS = 100;

export interface GroundOptions {
  brokers: 1 | 3;
  /** Between the start of the stack and that of everything else. @returns what ends it, after Postgres has stopped. */
  prepare(stack: Stack): Promise<() => Promise<void>>;
  progress: { write(text: string): unknown };
}

export async function openGround({ brokers, prepare, progress }: GroundOptions): Promise<Ground> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const each of closing.toReversed()) await each();
  };
  try {
    const ports = await freePorts(brokers);
    const kafka = await Promise.all(ports.map((port) => FaultProxy.to(`127.0.0.1:${port}`)));
    for (const proxy of kafka) closing.push(() => proxy.close());
    const advertisedKafka = kafka.map(({ address }) => address);
    // Little kept log, so that a small disk is filled by the ballast and not by the run itself.
    const postgres = { max_wal_size: '64MB', min_wal_size: '32MB' };
    const stack = await startStack({ from: 'packages', brokers, ports: { kafka: ports }, advertisedKafka, postgres, progress });
    closing.push(() => stack.stop());
    const prepared = await prepare(stack);
    closing.push(prepared);
    const proxies = { kafka, postgres: await FaultProxy.to(stack.postgresUrl), single: await FaultProxy.to(stack.postgresUrl), registry: await FaultProxy.to(stack.registryUrl) };
    closing.push(() => proxies.postgres.close(), () => proxies.single.close(), () => proxies.registry.close());
    const here = await estate({ env: { FACTLINE_KAFKA: advertisedKafka.join(','), FACTLINE_REGISTRY_URL: stack.registryUrl, FACTLINE_POSTGRES_URL: stack.postgresUrl } });
    closing.push(() => here.close());
    const { environment } = here;
    for (const name of ['HR_DATABASE_URL', 'PAYROLL_DATABASE_URL']) environment[name] = proxies.postgres.through(environment[name]!);
    environment['FACTLINE_REGISTRY_URL'] = proxies.registry.through(stack.registryUrl);
    const { databaseUrl: url, store } = await openDatabase(here.world, 'tally');
    const tally = { url, throughProxy: proxies.postgres.through(url), store };
    const other = await openDatabase(here.world, 'payslips');
    await migratePayslips(other.store);
    const payslips = { throughProxy: proxies.postgres.through(other.databaseUrl), store: other.store, schemas: other.schemas };
    return { stack, parts: stack.parts!, proxies, estate: here, tally, payslips, registryUrl: stack.registryUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count && attempt < PORT_ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const free = await new Promise<boolean>((told) => {
      const server = createServer();
      server.once('error', () => told(false));
      server.listen(port, '127.0.0.1', () => server.close(() => told(true)));
    });
    if (free) ports.add(port);
  }
  return [...ports];
}
