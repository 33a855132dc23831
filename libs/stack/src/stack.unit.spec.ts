import { dockerAnswers, engineOf } from './docker.js';
import { javaMajor } from './java.js';
import { brokerProperties } from './kafka.js';
import { type ProcessIdentity, thisHost } from './processes.js';
import { type StackRecord, isOrphan } from './record.js';
import { registryVersion } from './registry.js';
import { stackName } from './stack.js';

describe('versions', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
  ])('%s is Java %s', (text, major) => {
    expect(javaMajor(text)).toBe(major);
  });

  it.each([[17, '3.0.9'], [20, '3.0.9'], [21, '3.3.3'], [25, '3.3.3']])('Java %d runs registry %s', (major, version) => {
    expect(registryVersion(major)).toBe(version);
  });
});

describe('an orphan', () => {
  const owner = { pid: 1, startedAt: 'then' };
  const part = { pid: 2, startedAt: 'then' };
  const record = (changes: Partial<StackRecord>): StackRecord => ({
    id: 'x', host: thisHost, owner, detached: false, folder: '/nowhere', startedAt: '', parts: [{ launch: {} as never, process: part }], ...changes,
  });
  const living = (...alive: ProcessIdentity[]) => (identity: ProcessIdentity) => alive.includes(identity);

  it('is a stack whose owner died', () => {
    expect(isOrphan(record({}), living(part))).toBe(true);
    expect(isOrphan(record({}), living(owner, part))).toBe(false);
  });

  it('is a detached stack only when its processes are gone too', () => {
    const addresses = { kafka: [], registryUrl: '', postgresUrl: '' };
    expect(isOrphan(record({ detached: true, addresses }), living(part))).toBe(false);
    expect(isOrphan(record({ detached: true, addresses }), living())).toBe(true);
  });

  it('is a detached stack whose owner died before it served', () => {
    expect(isOrphan(record({ detached: true }), living(part))).toBe(true);
    expect(isOrphan(record({ detached: true, parts: [] }), living(owner))).toBe(false);
  });

  it('is never the stack of another machine that shares the cache', () => {
    expect(isOrphan(record({ host: 'elsewhere' }), living())).toBe(false);
  });
});

describe('broker properties', () => {
  const brokers = [1, 2, 3].map((n) => ({ clients: n * 10, replication: n * 10 + 1, controller: n * 10 + 2 }));

  it('of three keep three replicas with two in sync, on loopback', () => {
    const lines = brokerProperties({ folder: '/f', brokers, properties: {} }, 2).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'node.id=2',
        'listeners=CLIENTS://127.0.0.1:20,REPLICATION://127.0.0.1:21,CONTROLLER://127.0.0.1:22',
        'controller.quorum.voters=1@127.0.0.1:12,2@127.0.0.1:22,3@127.0.0.1:32',
        'default.replication.factor=3',
        'min.insync.replicas=2',
      ]),
    );
  });

  it('send clients through a proxy, and replicas not; given properties win', () => {
    const text = brokerProperties({ folder: '/f', brokers: brokers.slice(0, 1), advertised: ['proxy:99'], properties: { 'log.message.timestamp.type': 'CreateTime' } }, 1);
    expect(text).toContain('advertised.listeners=CLIENTS://proxy:99,REPLICATION://127.0.0.1:11\n');
    expect(text).toContain('log.message.timestamp.type=CreateTime\n');
    expect(text).not.toContain('LogAppendTime');
  });
});

describe('the Docker engine', () => {
  it('is where DOCKER_HOST says', () => {
    expect(engineOf({ DOCKER_HOST: 'unix:///run/engine.sock' })).toEqual({ socketPath: '/run/engine.sock' });
    expect(engineOf({ DOCKER_HOST: 'tcp://10.0.0.1:2376' })).toEqual({ host: '10.0.0.1', port: 2376 });
    expect(engineOf({ DOCKER_HOST: 'ssh://me@host' })).toBeUndefined();
  });

  it('that is not there does not answer, at once', async () => {
    expect(await dockerAnswers({ DOCKER_HOST: 'unix:///nowhere/engine.sock' })).toBe(false);
  });
});

describe('the name of a stack', () => {
  it('is a plain word', () => {
    expect(stackName(undefined)).toBe('default');
    expect(stackName('demo-2')).toBe('demo-2');
    expect(() => stackName('../x')).toThrow(expect.objectContaining({ code: 'stack.name' }));
  });
});
