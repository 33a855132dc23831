import { dockerAnswers } from './docker.js';
import { environment } from './env.js';
import { type Stack, startStack } from './index.js';
import { kafkaProbe, postgresProbe, registryProbe } from './readiness.js';

const answers = await dockerAnswers(environment());

if (!answers) process.stdout.write('skipped: no Docker engine answers, so the stack in containers is not tried\n');

// skipped: where no Docker engine answers, containers cannot be started
(answers ? describe : describe.skip)('a stack in containers', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ from: 'docker' });
  }, 600_000); // the first time, images are pulled
  afterAll(async () => {
    await stack?.stop();
  });

  it('serves, all three, and enforces compatibility', async () => {
    expect(stack.source).toBe('docker');
    expect(await kafkaProbe(stack.kafka[0]!, 1)()).toBeUndefined();
    expect(await registryProbe(stack.registryUrl)()).toBeUndefined();
    expect(await postgresProbe(new URL(stack.postgresUrl).host)()).toBeUndefined();
    expect(await (await fetch(`${stack.registryUrl}/config`)).json()).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
  });

  it('is gone when it is stopped', async () => {
    await stack.stop();
    expect(await registryProbe(stack.registryUrl)()).toBeDefined();
    expect(await kafkaProbe(stack.kafka[0]!, 1)()).toBeDefined();
  });
});

describe('without an engine', () => {
  it('asking for containers says what is wrong', async () => {
    await expect(startStack({ from: 'docker', env: { ...environment(), DOCKER_HOST: 'unix:///nowhere/engine.sock' } })).rejects.toMatchObject({
      code: 'stack.docker-failed',
      kind: 'unavailable',
    });
  });
});
