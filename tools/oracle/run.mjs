// `node tools/oracle/run.mjs < pairs.jsonl`: asks Apache Avro's own Java code about pairs of schemas; Compat.java says what a line holds.
// The jars and the compiled class are kept in the cache of the stack, each made once and put in place by a rename.
// With --prepare they are made and nothing is asked. Exit code 3: Java or Maven is missing, or the download failed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const AVRO = '1.12.1';
/** Without a binding slf4j writes to standard error at every start. The version is the one Avro's own POM names. */
const SLF4J = '2.0.17';
const ENVIRONMENT_FAULT = 3;
const OLDEST_JAVA = 17;
/** A slow line brings the jars in two minutes. */
const DOWNLOAD_DEADLINE_MS = 300_000;

const env = process.env;
const cache = env.FACTLINE_CACHE_DIR || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'factline');
const source = join(import.meta.dirname, 'Compat.java');
const program = (name) => (env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', name) : name);

function stop(message) {
  console.error(`oracle: ${message}`);
  process.exit(ENVIRONMENT_FAULT);
}

/** The folder `name` of the cache, filled once: two processes may both fill it, and the first rename counts. */
function cached(name, fill) {
  const home = join(cache, name);
  if (existsSync(home)) return home;
  mkdirSync(join(cache, 'partial'), { recursive: true });
  const attempt = mkdtempSync(join(cache, 'partial', `${name}-`));
  process.once('exit', () => rmSync(attempt, { recursive: true, force: true }));
  const target = join(attempt, 'target');
  mkdirSync(target);
  fill(target, attempt);
  try {
    renameSync(target, home);
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(error.code)) throw error;
  }
  return home;
}

function download(target, scratch) {
  const dependency = (group, artifact, version) => `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(scratch, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion><groupId>factline</groupId><artifactId>oracle</artifactId><version>1</version><dependencies>${dependency('org.apache.avro', 'avro', AVRO)}${dependency('org.slf4j', 'slf4j-nop', SLF4J)}</dependencies></project>`,
  );
  console.error(`oracle: downloading Apache Avro ${AVRO} (once, about 30 MB with Maven's plugin)`);
  const answer = spawnSync(
    'mvn',
    ['--batch-mode', '--quiet', `-Dmaven.repo.local=${join(scratch, 'repository')}`, 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies', `-DoutputDirectory=${target}`],
    { cwd: scratch, encoding: 'utf8', timeout: DOWNLOAD_DEADLINE_MS },
  );
  if (answer.error?.code === 'ENOENT') stop('Maven (mvn) was not found: install it (Debian: maven, macOS: brew install maven).');
  if (answer.status !== 0) stop(`Maven could not download Apache Avro ${AVRO}; check the network and Maven's settings.xml: ${answer.stdout.trim().split('\n')[0]}`);
}

function compile(target, jars) {
  const answer = spawnSync(program('javac'), ['-cp', join(jars, '*'), '-d', target, source], { encoding: 'utf8' });
  if (answer.error) stop(`no Java compiler (javac) was found: install a JDK, ${OLDEST_JAVA} or later (Debian: openjdk-17-jdk-headless, macOS: brew install openjdk).`);
  if (answer.status !== 0) stop(`Compat.java could not be compiled, which needs JDK ${OLDEST_JAVA} or later: ${answer.stderr.trim().split('\n')[0]}`);
}

const version = spawnSync(program('java'), ['-version'], { encoding: 'utf8' });
if (version.error || version.status !== 0) stop(`no Java was found (${env.JAVA_HOME ? 'JAVA_HOME' : 'PATH'}): install a JDK, ${OLDEST_JAVA} or later (Debian: openjdk-17-jdk-headless, macOS: brew install openjdk).`);
const jars = cached(`avro-${AVRO}`, download);
const content = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
const classes = cached(`avro-oracle-${AVRO}-${content}`, (target) => compile(target, jars));

if (!process.argv.includes('--prepare')) {
  const child = spawn(program('java'), ['-Xmx512m', '-XX:+UseSerialGC', '-cp', [classes, join(jars, '*')].join(delimiter), 'Compat'], { stdio: 'inherit' });
  child.once('exit', (code, signal) => (process.exitCode = signal ? 1 : (code ?? 1)));
}
