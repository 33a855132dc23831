import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FactlineError, messageOf, pause } from 'factline/kernel';
import type { Environment } from './env.js';
import { DOCKER_PING_TIMEOUT_MS, PART_READY_DEADLINE_MS, POSTGRES_CONNECTIONS, POSTGRES_SHARED_BUFFERS_MB, READINESS_POLL_MS } from './limits.js';
import { freePorts } from './ports.js';
import { reported } from './progress.js';
import { type Probe, kafkaProbe, postgresProbe, registryProbe } from './readiness.js';
import { enforceCompatibility } from './registry.js';
import type { Stack, StackStart } from './stack.js';

/** The same versions as in docker-compose.yml. */
const IMAGES = { kafka: 'apache/kafka:4.3.1', registry: 'apicurio/apicurio-registry:3.3.3', postgres: 'postgres:18.4' } as const;

/** Whether `testcontainers` is installed and an engine answers a ping within 1.5 s; never throws. Engines behind TLS or ssh are not looked for. */
export function dockerAnswers(env: Environment): Promise<boolean> {
  const engine = engineOf(env);
  if (!engine || !installed('testcontainers')) return Promise.resolve(false);
  return new Promise((resolve) => {
    const request = get({ ...engine, path: '/_ping', timeout: DOCKER_PING_TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
}

/** Where the engine is: DOCKER_HOST, or the first socket that exists in the usual places. */
export function engineOf(env: Environment): { socketPath: string } | { host: string; port: number } | undefined {
  const given = env['DOCKER_HOST'];
  if (given?.startsWith('unix://')) return { socketPath: given.slice('unix://'.length) };
  if (given?.startsWith('tcp://') && URL.canParse(given)) {
    const url = new URL(given);
    return { host: url.hostname, port: Number(url.port || '2375') };
  }
  if (given) return undefined;
  const home = env['HOME'] ?? '';
  const sockets = ['/var/run/docker.sock', join(home, '.docker/run/docker.sock'), join(home, '.docker/desktop/docker.sock')];
  if (env['XDG_RUNTIME_DIR']) sockets.push(join(env['XDG_RUNTIME_DIR'], 'docker.sock'));
  const socketPath = sockets.find((each) => existsSync(each));
  return socketPath ? { socketPath } : undefined;
}

/**
 * Starts the three in containers, with testcontainers: its own watcher removes them if this process is killed.
 * @throws FactlineError `stack.docker-failed` (unavailable) with the engine's reason.
 */
export async function startInDocker(start: StackStart): Promise<Stack> {
  if (!(await dockerAnswers(start.env))) throw failed('no engine answers, or the package testcontainers is not installed.');
  const running: { stop(): Promise<unknown> }[] = [];
  const stop = async () => void (await Promise.all(running.splice(0).map((container) => container.stop())));
  try {
    return await reported(start.listener, 'start Kafka, the registry and Postgres in containers (images are pulled once)', () => startAll(start, running, stop));
  } catch (error) {
    await stop();
    throw failed(`an engine answers, but ${messageOf(error)}`, error);
  }
}

async function startAll({ options }: StackStart, running: { stop(): Promise<unknown> }[], stop: () => Promise<void>): Promise<Stack> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const engineHost = (await getContainerRuntimeClient()).info.containerRuntime.host;
  const local = engineHost === 'localhost' || engineHost === '127.0.0.1';
  const host = local ? '127.0.0.1' : engineHost;

  /** Ports of an engine on this machine are bound to loopback only. */
  class LoopbackContainer extends GenericContainer {
    protected override beforeContainerCreated(): Promise<void> {
      for (const bindings of local ? Object.values(this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>) : []) {
        for (const binding of bindings) binding.HostIp = '127.0.0.1';
      }
      return Promise.resolve();
    }
  }
  const free = (await freePorts(3)) as [number, number, number];
  const kafkaPort = options.ports?.kafka?.[0] ?? free[0];
  const registryPort = options.ports?.registry ?? free[1];
  const postgresPort = options.ports?.postgres ?? free[2];
  const serve = async (image: string, ports: { container: number; host: number }, environment: Record<string, string>, probe: Probe, command?: string[]) => {
    const container = new LoopbackContainer(image).withExposedPorts(ports).withEnvironment(environment).withWaitStrategy(Wait.forAll([]));
    running.push(await (command ? container.withCommand(command) : container).start());
    await serving(image, probe);
  };
  const kafka = [`${host}:${kafkaPort}`];
  const registryUrl = `http://${host}:${registryPort}/apis/ccompat/v7`;
  const settings = { max_connections: String(POSTGRES_CONNECTIONS), shared_buffers: `${POSTGRES_SHARED_BUFFERS_MB}MB`, ...options.postgres };
  const starts = [
    serve(IMAGES.kafka, { container: 9092, host: kafkaPort }, kafkaEnvironment(kafka[0]!, options.kafka), kafkaProbe(kafka[0]!, 1)),
    serve(IMAGES.registry, { container: 8080, host: registryPort }, {}, registryProbe(registryUrl)),
    serve(
      IMAGES.postgres,
      { container: 5432, host: postgresPort },
      { POSTGRES_PASSWORD: 'factline' },
      postgresProbe(`${host}:${postgresPort}`),
      ['postgres', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    ),
  ];
  await Promise.allSettled(starts); // all are known to the clean-up before the first failure is reported
  await Promise.all(starts);
  await enforceCompatibility(registryUrl);
  return { kafka, registryUrl, postgresUrl: `postgres://postgres:factline@${host}:${postgresPort}/postgres`, source: 'docker', stop };
}

function failed(reason: string, cause?: unknown): FactlineError {
  return new FactlineError({
    code: 'stack.docker-failed',
    kind: 'unavailable',
    message: `The stack could not be started in containers: ${reason}`,
    advice: "Check that the engine runs and can pull the images, or have the stack started without it (from: 'packages').",
    cause,
  });
}

function installed(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

/** The image turns KAFKA_A_B into the property a.b. */
function kafkaEnvironment(address: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const properties: Record<string, string> = {
    'node.id': '1',
    'process.roles': 'broker,controller',
    listeners: 'CLIENTS://:9092,CONTROLLER://:9093',
    'advertised.listeners': `CLIENTS://${address}`,
    'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'CLIENTS',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': '1@localhost:9093',
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.message.timestamp.type': 'LogAppendTime',
    ...more,
  };
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`, value]));
}

async function serving(image: string, probe: Probe): Promise<void> {
  const deadline = performance.now() + PART_READY_DEADLINE_MS;
  for (let wrong = await probe(); wrong !== undefined; wrong = await probe()) {
    if (performance.now() > deadline) throw new Error(`${image} does not serve after ${PART_READY_DEADLINE_MS / 1_000} s: ${wrong}`);
    await pause(READINESS_POLL_MS);
  }
}
