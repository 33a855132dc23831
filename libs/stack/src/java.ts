import { join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import type { Environment } from './env.js';
import { INSTALL_DEADLINE_MS, MAVEN_ERROR_LINES } from './limits.js';
import { run } from './processes.js';

/** Apache Kafka 4 brokers are compiled for it. */
const OLDEST_JAVA = 17;

export interface Java {
  readonly file: string;
  readonly major: number;
}

/** @throws FactlineError `stack.java-missing` (configuration) when there is none, or only one older than 17. */
export async function findJava(env: Environment): Promise<Java> {
  const file = env['JAVA_HOME'] ? join(env['JAVA_HOME'], 'bin', 'java') : 'java';
  const answer = await run(file, ['-version'], { env: { ...env } });
  const major = javaMajor(answer.output);
  if (answer.ok && major !== undefined && major >= OLDEST_JAVA) return { file, major };
  const found = answer.ok && major !== undefined ? `Java ${major} is too old` : `no Java was found (${env['JAVA_HOME'] ? 'JAVA_HOME' : 'PATH'})`;
  throw new FactlineError({
    code: 'stack.java-missing',
    kind: 'configuration',
    message: `Kafka and the schema registry cannot be started without Docker: ${found}.`,
    advice: `Install a Java runtime, ${OLDEST_JAVA} or later (Debian: openjdk-17-jre-headless, macOS: brew install openjdk), or start Docker.`,
  });
}

/** `openjdk version "17.0.15"`, `java version "1.8.0_402"`, `openjdk version "25"`. */
export function javaMajor(versionText: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(versionText);
  return match ? Number(match[1]) : undefined;
}

/**
 * Runs one Maven goal with a repository of its own, so that the user's is neither grown nor locked.
 * @throws FactlineError `stack.maven-missing` (configuration), or `stack.download-failed` (unavailable) with Maven's first lines (the rest of them is generic).
 */
export async function maven(env: Environment, java: Java, cwd: string, repository: string, goal: readonly string[]): Promise<void> {
  const javaHome = env['JAVA_HOME'] && java.file.startsWith(env['JAVA_HOME']) ? { JAVA_HOME: env['JAVA_HOME'] } : {};
  const answer = await run('mvn', ['--batch-mode', '--quiet', `-Dmaven.repo.local=${repository}`, ...goal], {
    env: { ...env, ...javaHome },
    cwd,
    deadlineMs: INSTALL_DEADLINE_MS,
  });
  if (answer.ok) return;
  if (answer.absent) {
    throw new FactlineError({
      code: 'stack.maven-missing',
      kind: 'configuration',
      message: 'Kafka and the schema registry cannot be downloaded: Maven (mvn) was not found.',
      advice: 'Install Maven (Debian: maven, macOS: brew install maven), or start Docker.',
    });
  }
  throw new FactlineError({
    code: 'stack.download-failed',
    kind: 'unavailable',
    message: `Maven could not download ${goal.at(-1)}:\n${answer.output.trim().split('\n').slice(0, MAVEN_ERROR_LINES).join('\n')}`,
    advice: "Check the network and Maven's settings.xml (mirrors, proxies), then start again: nothing half finished is kept.",
  });
}
