import { stackEnvironment } from 'factline/stack';
import { type World, until, world } from 'factline/testing';
import { slow } from '../support/fault-rows.js';
import { Flow } from '../support/flow.js';
import { type ProxiedStack, startProxiedStack } from '../support/proxied-stack.js';

/** Three brokers of these rows' own: they are killed, frozen and cut off here. */
const STACK_STARTS_WITHIN = 180_000;
const ROW_ENDS_WITHIN = 240_000;

let stack: ProxiedStack;
let at: World;
let flow: Flow | undefined;

beforeAll(async () => {
  stack = await startProxiedStack(3);
  at = await world(stackEnvironment(stack));
}, STACK_STARTS_WITHIN);

afterEach(async () => {
  for (const proxy of stack.proxies) await proxy.heal();
  for (const broker of stack.parts.brokers) await broker.kill('SIGCONT');
  await stack.parts.kafka.start();
  await flow?.close();
  flow = undefined;
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await at?.close();
  await stack?.stop();
});

const opened = async (name: string): Promise<Flow> => {
  flow = await Flow.open(at, name);
  await flow.ledger.wave();
  await flow.right();
  return flow;
};

slow('B1: each broker is killed in turn: what is stated meanwhile is applied within half a minute, in order and once', async () => {
  const running = await opened('killed');
  await running.whileWriting(async () => {
    for (const broker of stack.parts.brokers) {
      await broker.kill('SIGKILL');
      await running.goesOn();
      await broker.start();
    }
  });
  await running.right();
}, ROW_ENDS_WITHIN);

slow('B2: a leader is frozen and thaws: its sends are given up and repeated over new connections, and no key is turned around', async () => {
  const running = await opened('frozen');
  const before = running.relay.status().rejectedSends;
  const [, leader] = stack.parts.brokers;
  await running.whileWriting(async () => {
    await leader!.kill('SIGSTOP');
    await running.goesOn();
    await leader!.kill('SIGCONT');
    await running.goesOn();
  });
  await running.right();
  expect(running.relay.status().rejectedSends).toBeGreaterThan(before); // the control: something was sent to it while it was frozen
}, ROW_ENDS_WITHIN);

slow('B3: with two of three brokers gone facts are taken and stay pending, which is shown, and all of them are published when the brokers are back', async () => {
  const running = await opened('in_sync');
  const [, second, third] = stack.parts.brokers;
  await Promise.all([second!.kill('SIGKILL'), third!.kill('SIGKILL')]);
  const before = running.ledger.committed.length;
  await running.ledger.wave();
  await until('the relay to say that the log does not take them', () => {
    const { rejections, pendingEstimate } = running.relay.status();
    return rejections.length > 0 && pendingEstimate >= running.ledger.committed.length - before;
  });
  await running.model.reaches('STALE');
  await Promise.all([second!.start(), third!.start()]);
  await running.right();
}, ROW_ENDS_WITHIN);

it('B5: over a link of 150 ms everything is applied over the connections that stand, and the age of what waits is shown', async () => {
  const running = await opened('slow_link');
  const accepted = () => stack.proxies.reduce((sum, { counts }) => sum + counts.accepted, 0);
  const before = { accepted: accepted(), rejected: running.relay.status().rejectedSends };
  for (const proxy of stack.proxies) proxy.latency(75);
  let oldest = 0;
  await running.whileWriting(async () => {
    await running.goesOn();
    await until('an age to be shown', () => (oldest = Math.max(oldest, running.relay.status().oldestUnsentAgeMs)) > 0);
    await running.goesOn();
  });
  await running.right();
  expect(running.relay.status().rejectedSends).toBe(before.rejected);
  expect(accepted() - before.accepted).toBeLessThan(10); // the spec's own reading of the topic, and nothing that was given up
}, ROW_ENDS_WITHIN);

describe('a link that is cut', () => {
  const cuts: Record<string, () => void> = {
    'answers that do not come': () => stack.proxies.forEach((proxy) => proxy.blackhole('to-client')),
    'requests that do not arrive': () => stack.proxies.forEach((proxy) => proxy.blackhole('to-server')),
    'connections that are reset and refused': () => stack.proxies.forEach((proxy) => (proxy.refuse(), proxy.reset())),
  };

  it.each(Object.entries(cuts))('B6: %s are found by relay and consumer within the request timeout, and both go on afterwards', async (what, cut) => {
    const running = await opened(what.replaceAll(' ', '_').slice(0, 20));
    await running.whileWriting(async () => {
      cut();
      await until('the relay to tell it', () => running.relay.status().rejections.length > 0);
      await running.model.reaches('STALE');
      for (const proxy of stack.proxies) await proxy.heal();
      await running.goesOn();
    });
    await running.right();
  }, ROW_ENDS_WITHIN);
});
