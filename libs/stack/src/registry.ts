import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { FactlineError } from 'factline/kernel';
import { type Package, installed } from './cache.js';
import type { Environment } from './env.js';
import { type Java, maven } from './java.js';
import { PROBE_TIMEOUT_MS, REGISTRY_HEAP_MB, REGISTRY_SUBJECTS_LISTED } from './limits.js';
import { run } from './processes.js';
import type { ProgressListener } from './progress.js';
import type { Launch } from './record.js';

const FIRST_JAVA_OF_NEWEST = 21;

/** Apicurio Registry 3.3 is compiled for Java 21; 3.0.9 is the last line that runs on 17. */
export function registryVersion(javaMajor: number): '3.3.3' | '3.0.9' {
  return javaMajor >= FIRST_JAVA_OF_NEWEST ? '3.3.3' : '3.0.9';
}

export interface RegistrySetup {
  readonly env: Environment;
  readonly java: Java;
  readonly cache: string;
  readonly folder: string;
  readonly port: number;
  readonly managementPort: number;
  readonly listener: ProgressListener;
}

/** Downloads Apicurio Registry once. It keeps its data in an H2 file, so that it depends on neither of the other parts. */
export async function prepareRegistry(setup: RegistrySetup): Promise<Launch> {
  const home = await installed(setup.cache, registryPackage(setup), setup.listener);
  const runner = (await readdir(home)).find((name) => name === 'quarkus-run.jar' || name.endsWith('-runner.jar'));
  if (!runner) {
    throw new FactlineError({
      code: 'stack.part-failed',
      kind: 'internal',
      message: `${home} holds no program to run.`,
      advice: 'Delete the folder and start again.',
    });
  }
  const settings: Record<string, string> = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(setup.port),
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': String(setup.managementPort),
    'quarkus.http.access-log.enabled': 'false',
    'apicurio.storage.kind': 'sql',
    'apicurio.storage.sql.kind': 'h2',
    // H2 writes half a second late unless told otherwise: a registration that was answered would not survive kill -9
    'apicurio.datasource.url': `jdbc:h2:file:${join(setup.folder, 'registry')};WRITE_DELAY=0`,
    'apicurio.ccompat.max-subjects': String(REGISTRY_SUBJECTS_LISTED),
  };
  return {
    kind: 'registry',
    name: 'registry',
    file: setup.java.file,
    args: [
      `-Xmx${REGISTRY_HEAP_MB}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1', // a short life: start-up counts, not peak speed
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      '-jar',
      join(home, runner),
    ],
    cwd: setup.folder,
    env: { LANG: 'C.UTF-8' },
    log: join(setup.folder, 'registry.log'),
    address: `http://127.0.0.1:${setup.port}/apis/ccompat/v7`,
  };
}

/** Apicurio enforces nothing on registration until a level is set. */
export async function enforceCompatibility(registryUrl: string): Promise<void> {
  const answer = await fetch(`${registryUrl}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS * 5),
  });
  const text = await answer.text();
  if (answer.ok) return;
  throw new FactlineError({
    code: 'stack.part-failed',
    kind: 'unavailable',
    message: `The registry refused its compatibility level: ${answer.status} ${text}`,
    advice: 'Start the stack again; if it stays, report it with the registry log.',
  });
}

function registryPackage({ env, java }: RegistrySetup): Package {
  const version = registryVersion(java.major);
  return {
    name: `apicurio-registry-${version}`,
    title: `Apicurio Registry ${version}`,
    aboutMb: version === '3.0.9' ? 118 : 167,
    async fill(target, scratch) {
      await maven(env, java, scratch, join(scratch, 'repository'), [
        // the parent POM of 3.0.9 was never published; version 2 of the plugin copies an artifact without reading its POM
        'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy',
        `-DoutputDirectory=${scratch}`,
        `-Dartifact=io.apicurio:apicurio-registry-app:${version}:tar.gz:all`,
      ]);
      const archive = join(scratch, `apicurio-registry-app-${version}-all.tar.gz`);
      const unpacked = await run('tar', ['-xzf', archive, '-C', target, '--no-same-owner']);
      if (unpacked.ok) return;
      throw new FactlineError({
        code: 'stack.download-failed',
        kind: 'unavailable',
        message: `The registry's archive could not be unpacked: ${unpacked.output.trim()}`,
        advice: 'Check that tar is installed and the disk has 300 MB free, then start again.',
      });
    },
  };
}
