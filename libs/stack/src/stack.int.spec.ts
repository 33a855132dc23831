import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { cacheDirectory, environment } from './env.js';
import { type Stack, type StackStatus, startStack, stackStatus, stopStack } from './index.js';
import { freePorts } from './ports.js';
import { isAlive, startTimeOf } from './processes.js';
import { kafkaProbe, postgresProbe, registryProbe } from './readiness.js';
import { readRecords } from './record.js';

// `npm test` gives every spec the addresses of its stack; this one starts its own.
for (const name of ['FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL', 'FACTLINE_POSTGRES_URL']) delete process.env[name];

const repository = process.cwd();
const cache = cacheDirectory(environment());
const schema = JSON.stringify({ schema: JSON.stringify({ type: 'record', name: 'hr.Kept', fields: [{ name: 'id', type: 'string' }] }) });
const post = { method: 'POST', headers: { 'content-type': 'application/json' } };

function postgresAddress(stack: Stack): string {
  return new URL(stack.postgresUrl).host;
}

async function problems(stack: Stack): Promise<(string | undefined)[]> {
  return [await kafkaProbe(stack.kafka[0]!, 1)(), await registryProbe(stack.registryUrl)(), await postgresProbe(postgresAddress(stack))()];
}

async function statusOf(kafka: string): Promise<StackStatus | undefined> {
  return (await stackStatus()).find((each) => each.addresses?.kafka.includes(kafka) || each.parts.some((part) => part.address === kafka));
}

describe('a stack from packages', () => {
  let stack: Stack;
  let status: StackStatus;

  beforeAll(async () => {
    stack = await startStack({ from: 'packages' });
    status = (await statusOf(stack.kafka[0]!))!;
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it('serves on loopback, all three, and says so', async () => {
    expect(await problems(stack)).toEqual([undefined, undefined, undefined]);
    expect(status.parts.map((part) => [part.name, part.problem])).toEqual([['kafka-1', undefined], ['registry', undefined], ['postgres', undefined]]);
    expect(status.addresses).toEqual({ kafka: stack.kafka, registryUrl: stack.registryUrl, postgresUrl: stack.postgresUrl });
    expect([...stack.kafka, new URL(stack.registryUrl).host, postgresAddress(stack)].every((each) => each.startsWith('127.0.0.1:'))).toBe(true);
  });

  it('refuses a schema that readers of either direction could not read', async () => {
    const url = `${stack.registryUrl}/subjects/hr.Kept/versions`;
    expect((await fetch(url, { ...post, body: schema })).status).toBe(200);
    const breaking = JSON.stringify({ schema: JSON.stringify({ type: 'record', name: 'hr.Kept', fields: [{ name: 'id', type: 'long' }] }) });
    expect((await fetch(url, { ...post, body: breaking })).status).toBe(409);
  });

  it('keeps the data and the port of a part that is killed and started again', async () => {
    const before = stack.parts!.registry.pid;
    await stack.parts!.registry.kill('SIGKILL');
    expect(stack.parts!.registry.pid).toBeUndefined();
    expect(await registryProbe(stack.registryUrl)()).toMatch(/ECONNREFUSED/);
    await stack.parts!.registry.start();
    expect(stack.parts!.registry.pid).not.toBe(before);
    expect(await (await fetch(`${stack.registryUrl}/subjects`)).json()).toEqual(['hr.Kept']);
    expect(await (await fetch(`${stack.registryUrl}/config`)).json()).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
  });

  it('stops Kafka and Postgres in order, kills them, pauses them, and has them back each time', async () => {
    const { kafka, postgres } = stack.parts!;
    await Promise.all([kafka.stop(), postgres.stop()]);
    expect([kafka.pid, postgres.pid]).toEqual([undefined, undefined]);
    await Promise.all([kafka.start(), postgres.start()]);
    await Promise.all([kafka.kill(), postgres.kill()]);
    await Promise.all([kafka.start(), postgres.start()]);
    await postgres.kill('SIGSTOP');
    expect(await postgresProbe(postgresAddress(stack))()).toMatch(/did not answer/);
    await postgres.kill('SIGCONT');
    expect(await problems(stack)).toEqual([undefined, undefined, undefined]);
  });

  it('leaves no process, folder or record when it is stopped, also twice', async () => {
    const now = (await statusOf(stack.kafka[0]!))!;
    const identities = now.parts.map((part) => ({ pid: part.pid!, startedAt: startTimeOf(part.pid!)! }));
    await Promise.all([stack.stop(), stack.stop()]);
    expect(identities.filter(isAlive)).toEqual([]);
    expect(existsSync(now.folder)).toBe(false);
    expect(readRecords(cache).some((record) => record.id === now.id)).toBe(false);
  });
});

describe('a start that fails', () => {
  it('shows the end of the log of the part that failed and leaves nothing', async () => {
    const [kafka] = await freePorts(1);
    const failed = startStack({ from: 'packages', ports: { kafka: [kafka!] }, postgres: { no_such_setting: 'on' } });
    await expect(failed).rejects.toMatchObject({
      code: 'stack.part-failed',
      details: { part: 'postgres' },
      message: expect.stringMatching(/unrecognized configuration parameter "no_such_setting"/),
    });
    expect(await statusOf(`127.0.0.1:${kafka}`)).toBeUndefined();
  });

  it('does not take the service of somebody else for its own', async () => {
    const foreign = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const { port } = foreign.address() as { port: number };
    await expect(startStack({ from: 'packages', ports: { postgres: port } })).rejects.toMatchObject({
      code: 'stack.part-failed',
      message: expect.stringMatching(/in use/),
    });
    foreign.close();
  });

  it('says what to install when there is no Java', async () => {
    const without = { ...environment(), PATH: '/nowhere', JAVA_HOME: undefined };
    await expect(startStack({ from: 'packages', env: without })).rejects.toMatchObject({
      code: 'stack.java-missing',
      kind: 'configuration',
      advice: expect.stringMatching(/Install a Java/),
    });
  });
});

describe('a stack whose owner is another process', () => {
  let build: string;
  let child: ChildProcess | undefined;

  /** The owner runs compiled code: Node does not resolve TypeScript sources. */
  beforeAll(() => {
    build = mkdtempSync(join(tmpdir(), 'factline-stack-spec-'));
    const config = {
      extends: join(repository, 'tsconfig.json'),
      compilerOptions: { rootDir: repository, outDir: build },
      include: ['kernel', 'stack'].map((lib) => join(repository, 'libs', lib, 'src')),
      exclude: ['**/*.spec.ts'],
    };
    writeFileSync(join(build, 'package.json'), JSON.stringify({ name: 'factline', type: 'module', exports: { './*': './libs/*/src/index.js' } }));
    symlinkSync(join(repository, 'node_modules'), join(build, 'node_modules'));
    mkdirSync(join(repository, '.factline'), { recursive: true });
    const project = join(repository, '.factline', 'stack-spec.tsconfig.json'); // beside node_modules, where the type packages are found
    writeFileSync(project, JSON.stringify(config));
    execFileSync(join(repository, 'node_modules', '.bin', 'tsc'), ['-p', project]);
    rmSync(project);
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await stopStack({ name: 'spec-detached' });
    rmSync(build, { recursive: true, force: true });
  });

  async function owner(options: object, thenWait: boolean): Promise<{ process: ChildProcess; status: StackStatus }> {
    const script = join(build, 'owner.mjs');
    const end = thenWait ? 'setInterval(() => undefined, 1_000);' : '';
    const start = `const stack = await startStack(${JSON.stringify(options)});`;
    writeFileSync(script, `import { startStack } from 'factline/stack';\n${start}\nconsole.log(stack.kafka[0]);\n${end}\n`);
    child = spawn(process.execPath, [script], { env: process.env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    return { process: child, status: (await statusOf(line.toString().trim()))! };
  }

  const leftOf = (status: StackStatus, identities: { pid: number; startedAt: string }[]) => [...identities.filter(isAlive), existsSync(status.folder)];
  const identitiesOf = (status: StackStatus) => status.parts.map((part) => ({ pid: part.pid!, startedAt: startTimeOf(part.pid!)! }));

  it('is cleaned up by the next question after kill -9, and only then', async () => {
    const { process: parent, status } = await owner({ from: 'packages' }, true);
    const identities = identitiesOf(status);
    expect(await statusOf(status.addresses!.kafka[0]!)).toBeDefined(); // a living owner's stack is left alone
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(identities.filter(isAlive)).toHaveLength(3);
    expect(await statusOf(status.addresses!.kafka[0]!)).toBeUndefined();
    expect(leftOf(status, identities)).toEqual([false]);
  });

  it('ends with it on SIGTERM', async () => {
    const { process: parent, status } = await owner({ from: 'packages' }, true);
    const identities = identitiesOf(status);
    parent.kill('SIGTERM');
    expect((await once(parent, 'exit'))[1]).toBe('SIGTERM');
    expect(leftOf(status, identities)).toEqual([false]);
  });

  it('survives it when detached, is used by others, has one name, and ends by that name', async () => {
    const { process: parent, status } = await owner({ detached: true, name: 'spec-detached' }, false);
    if (parent.exitCode === null) await once(parent, 'exit');
    const identities = identitiesOf(status);
    await expect(startStack({ detached: true, name: 'spec-detached' })).rejects.toMatchObject({ code: 'stack.already-running', kind: 'conflict' });
    const reused = await startStack({ reuse: true, name: 'spec-detached' });
    await reused.parts!.postgres.stop();
    await expect(startStack({ reuse: true, name: 'spec-detached' })).rejects.toMatchObject({ code: 'stack.unhealthy' });
    await reused.parts!.postgres.start();
    await reused.stop();
    expect(await problems(reused)).toEqual([undefined, undefined, undefined]);
    expect(await stopStack({ name: 'spec-detached' })).toBe(true);
    expect(leftOf(status, identities)).toEqual([false]);
    expect(await stopStack({ name: 'spec-detached' })).toBe(false);
  });
});
