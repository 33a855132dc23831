import { stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { type CrashScene, type CrashSite, crashSite } from '../support/crash-scene.js';
import { tableFaults, topicFaults } from '../support/effect-once.js';
import { slow } from '../support/fault-rows.js';
import type { Program } from '../support/program.js';
import { type ProxiedStack, isProduce, startProxiedStack } from '../support/proxied-stack.js';

/** Brokers are killed and their answers swallowed here, so these rows have three of their own. */
const STACK_STARTS_WITHIN = 180_000;
/** About a minute of writing: a broker is back within 12 s of its kill. */
const WRITES = 3_000;

let stack: ProxiedStack;
let site: CrashSite;

beforeAll(async () => {
  stack = await startProxiedStack(3);
  site = await crashSite(stackEnvironment(stack));
}, STACK_STARTS_WITHIN);

afterEach(async () => {
  await site.clear();
  for (const proxy of stack.proxies) await proxy.heal();
});

afterAll(async () => {
  await site?.close();
  await stack?.stop();
});

/** States facts until the given work is done. */
async function whileWriting<T>({ ledger }: CrashScene, work: () => Promise<T>): Promise<T> {
  let done = false;
  const working = work().finally(() => (done = true));
  await Promise.all([ledger.write(() => done, WRITES), working]);
  return working;
}

/** All committed facts on the topic in order, and each of them once in a table. @returns how many came more than once. */
async function expectRight(scene: CrashScene, relay: Program): Promise<number> {
  const { committed } = scene.ledger;
  const found = await scene.published(relay);
  expect(await relay.stop()).toEqual({ code: 0, signal: null });
  expect(topicFaults(committed, found, found.length)).toEqual([]); // however often a stretch was begun again, there is no hole, no other order, and nothing else
  const consumer = scene.consumer();
  expect(tableFaults(committed, await scene.appliedBy(consumer))).toEqual([]);
  expect(await consumer.stop()).toEqual({ code: 0, signal: null });
  return found.length - committed.length;
}

it('A7: an answer that is lost after the broker stored the facts has them sent again before anything else of their partition', async () => {
  const scene = await site.scene('reply_lost');
  const relay = scene.relay();
  await whileWriting(scene, async () => {
    for (const proxy of [...stack.proxies, ...stack.proxies]) await proxy.swallowNextResponse(isProduce);
  });
  const swallowed = stack.proxies.reduce((sum, { counts }) => sum + counts.swallowed, 0);
  expect(swallowed).toBe(6);
  expect(await expectRight(scene, relay)).toBeGreaterThanOrEqual(swallowed); // the control: what was stored and not acknowledged is there twice
});

slow('A8: facts wait while the leader of their partition is killed and moves, and only an answer of their own partition counts', async () => {
  const scene = await site.scene('leader_killed');
  const relay = scene.relay();
  await whileWriting(scene, async () => {
    for (const broker of stack.parts.brokers) {
      await broker.kill('SIGKILL');
      const before = scene.ledger.committed.length;
      await until('facts to be stated without the broker', () => scene.ledger.committed.length > before + 20);
      await broker.start();
    }
  });
  expect(relay.stderr).toContain('the log did not take facts'); // the control: a leader was away when something was sent to it
  await expectRight(scene, relay);
});
