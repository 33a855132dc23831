import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import type { StackAddresses } from './env.js';
import { stopAtExit } from './exit.js';
import { findJava } from './java.js';
import { prepareKafka } from './kafka.js';
import { ProcessPart, together } from './part.js';
import { freePorts } from './ports.js';
import { preparePostgres } from './postgres.js';
import { ownIdentity, thisHost } from './processes.js';
import { reported } from './progress.js';
import { type Probe, kafkaProbe, postgresProbe, registryProbe } from './readiness.js';
import { type StackRecord, writeRecord } from './record.js';
import { enforceCompatibility, prepareRegistry } from './registry.js';
import type { Stack, StackParts, StackStart } from './stack.js';
import { remove } from './sweep.js';

/** Starts the three as processes of this machine. With a name they are detached. */
export async function startFromPackages(start: StackStart, name: string | undefined): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'factline-stack-'));
  await chmod(folder, 0o711); // the user Postgres runs as enters it, and sees nothing
  const record: StackRecord = {
    id: name ?? randomUUID(),
    host: thisHost,
    owner: ownIdentity(),
    detached: name !== undefined,
    folder,
    startedAt: new Date().toISOString(),
    parts: [],
  };
  writeRecord(start.cache, record);
  const releaseExit = stopAtExit(start.cache, record);
  const stop = once(async () => {
    releaseExit();
    await remove(start.cache, record);
  });
  try {
    const addresses = await prepare(start, record);
    const parts = partsOf(start.cache, record);
    await reported(start.listener, 'start Kafka, the registry and Postgres', async () => {
      await settledAll(parts.map((part) => part.start()));
      await enforceCompatibility(addresses.registryUrl);
    });
    record.addresses = addresses;
    writeRecord(start.cache, record);
    if (record.detached) releaseExit();
    return stackOf(addresses, parts, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A stack that another process started: the same control, but its end is not ours. */
export async function attach(cache: string, record: StackRecord): Promise<Stack> {
  const parts = partsOf(cache, record);
  const wrong = await Promise.all(parts.map(async (part) => [part.launch.name, await part.health()] as const));
  const broken = wrong.filter(([, reason]) => reason !== undefined);
  if (record.addresses && broken.length === 0) return stackOf(record.addresses, parts, () => Promise.resolve());
  throw new FactlineError({
    code: 'stack.unhealthy',
    kind: 'unavailable',
    message: `The stack '${record.id}' does not serve: ${broken.map(([part, reason]) => `${part}: ${reason}`).join('; ')}.`,
    advice: 'Stop it and start it again: factline stack down, factline stack up.',
  });
}

export function partsOf(cache: string, record: StackRecord): ProcessPart[] {
  const brokers = record.parts.filter((part) => part.launch.kind === 'kafka').length;
  return record.parts.map((part) => {
    const remember = (identity: NonNullable<typeof part.process>) => {
      part.process = identity;
      writeRecord(cache, record);
    };
    const failureLog = join(cache, 'failed', `${part.launch.name}.log`);
    return new ProcessPart(part.launch, probeOf(part.launch.kind, part.launch.address, brokers), part.process, remember, failureLog);
  });
}

async function prepare(start: StackStart, record: StackRecord): Promise<StackAddresses> {
  const { options, env, cache, listener } = start;
  const java = await findJava(env);
  const brokerCount = options.brokers ?? 1;
  const ports = await freePorts(brokerCount * 3 + 3);
  const take = () => ports.pop()!;
  const brokers = Array.from({ length: brokerCount }, (_, index) => ({
    clients: options.ports?.kafka?.[index] ?? take(),
    replication: take(),
    controller: take(),
  }));
  const shared = { env, java, cache, folder: record.folder, listener };
  // downloads one after the other: two would share the line, and a person reads one progress line more easily
  const kafka = await prepareKafka({ ...shared, brokers, advertised: options.advertisedKafka, properties: options.kafka ?? {} });
  const registry = await prepareRegistry({ ...shared, port: options.ports?.registry ?? take(), managementPort: take() });
  const postgres = await preparePostgres({
    folder: record.folder,
    port: options.ports?.postgres ?? take(),
    settings: options.postgres ?? {},
  });
  record.parts = [...kafka, registry, postgres.launch].map((launch) => ({ launch }));
  return { kafka: kafka.map((launch) => launch.address), registryUrl: registry.address, postgresUrl: postgres.url };
}

function probeOf(kind: StackRecord['parts'][number]['launch']['kind'], address: string, brokers: number): Probe {
  if (kind === 'registry') return registryProbe(address);
  return kind === 'kafka' ? kafkaProbe(address, brokers) : postgresProbe(address);
}

function stackOf(addresses: StackAddresses, all: readonly ProcessPart[], stop: () => Promise<void>): Stack {
  const brokers = all.filter((part) => part.launch.kind === 'kafka');
  const one = (kind: 'registry' | 'postgres') => together(all.filter((part) => part.launch.kind === kind));
  const parts: StackParts = { kafka: together(brokers), brokers, registry: one('registry'), postgres: one('postgres') };
  return { ...addresses, source: 'packages', parts, stop };
}

/** Waits for every start before it reports the first failure, so that nothing starts behind the back of the clean-up. */
async function settledAll(starts: Promise<void>[]): Promise<void> {
  await Promise.allSettled(starts);
  await Promise.all(starts);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
