import type { SubscriptionTarget } from 'factline/consumer';
import { withSequence } from 'factline/contracts';
import type { FactLog } from 'factline/log';
import type { LiveProjection } from 'factline/projections';
import { type World, until, world } from 'factline/testing';
import { PARTITIONS } from '../../bench/scene.js';
import { crashSite } from '../support/crash-scene.js';
import { tableFaults } from '../support/effect-once.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { slow } from '../support/fault-rows.js';
import { ModelScene } from '../support/model-scene.js';
import type { Program } from '../support/program.js';

let at: World;
let scene: ModelScene | undefined;

beforeAll(async () => {
  at = await world();
});
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});
afterAll(() => at.close());

/** The read model, which is held up before each commit for as long as the hook takes. */
function heldUp(hook: () => Promise<unknown>) {
  return (live: LiveProjection): SubscriptionTarget => ({
    generation: () => live.generation(),
    claim: (topics, partitions) => live.claim(topics, partitions),
    blocked: () => live.blocked(),
    recordAsOf: (entries) => live.recordAsOf(entries),
    apply: async (checkpoint, work) => {
      await hook();
      return live.apply(checkpoint, work);
    },
  });
}

it('C2: a member that stood still while another took its partitions over writes nothing, is counted, and goes on from where the other is', async () => {
  scene = await ModelScene.open(at, 'stood_still');
  let waiting = 0;
  let wake!: () => void;
  const woken = new Promise<void>((resolve) => (wake = resolve));
  const zombie = await scene.model('c2', { group: `${scene.topic}.zombie`, around: heldUp(() => (waiting++, woken)) });
  await scene.state(40);
  await until('the first member to hold facts of every partition that has some', () => waiting > 3);
  const held = waiting;
  const successor = await scene.model('c2', { group: `${scene.topic}.successor` });
  await scene.state(40);
  await successor.settled();
  const before = await successor.positions();
  await successor.stop();
  wake();
  await until('every held batch to be refused', () => zombie.status.counts.fenced >= held);
  expect(await zombie.positions()).toEqual(before);
  await scene.state(8);
  await zombie.settled();
  expect(await zombie.rows()).toHaveLength(8);
});

slow('C2: a process that is stopped for longer than a session, and goes on when another one of its group has its partitions, writes nothing twice', async () => {
  const site = await crashSite();
  try {
    const stopped = await site.scene('stopped_process');
    stopped.publish();
    const group = `${stopped.topic}.pair`;
    const settled = async (consumer: Program) => {
      await stopped.published();
      return tableFaults(stopped.ledger.committed, await stopped.appliedBy(consumer));
    };
    const zombie = stopped.member(group);
    await stopped.ledger.wave();
    expect(await settled(zombie)).toEqual([]);
    const release = await stopped.holdTable();
    await stopped.ledger.wave(); // in the hands of the one that will be stopped
    await stopped.effectsHeldBack();
    zombie.signal('SIGSTOP');
    await release(); // its statements end without it, and it will not know of that
    const successor = stopped.member(group);
    await until('the successor to have every partition', () => successor.lines.some(({ claimed }) => claimed === PARTITIONS));
    await stopped.ledger.wave();
    expect(await settled(successor)).toEqual([]);
    zombie.signal('SIGCONT');
    await until('the one that was stopped to join again', () => zombie.lines.some(({ claimed }) => Number(claimed) < PARTITIONS));
    await stopped.ledger.wave();
    expect(await settled(successor)).toEqual([]);
    for (const program of [zombie, successor]) expect(await program.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await site.close();
  }
});

slow('C3: an event loop that is blocked for longer than a session loses its membership, joins again, and nothing is applied twice', async () => {
  scene = await ModelScene.open(at, 'blocked_loop');
  let blockFor = 0;
  const model = await scene.model('c3', {
    around: heldUp(async () => {
      const until = performance.now() + blockFor;
      blockFor = 0;
      while (performance.now() < until); // what a handler does that computes for too long
    }),
  });
  await scene.state(16);
  await model.settled();
  const { rebalances } = model.status.counts;
  blockFor = 15_000; // the session ends after 10 s without a heartbeat
  await scene.state(40);
  await until('the membership to be lost', () => model.status.counts.rebalances > rebalances);
  await scene.state(16);
  await model.settled();
});

it('C4: members come and go, one, eight and two of them: everything is applied once, and at the end without any of those that went', async () => {
  scene = await ModelScene.open(at, 'storm');
  const group = `${scene.topic}.storm`;
  const join = () => scene!.model('c4', { group, log: at.log() });
  const members = [await join()];
  for (const count of [8, 2, 6, 1, 8, 2]) {
    await scene.state(40);
    while (members.length < count) members.push(await join());
    await scene.state(40);
    await Promise.all(members.splice(0, members.length - count).map((member) => member.stop()));
    await until('somebody to get on', () => members.some(({ status }) => status.partitions.length > 0));
  }
  await scene.state(40);
  const [one, other] = members;
  await until('both to share all partitions', () => one!.status.partitions.length === 3 && other!.status.partitions.length === 3);
  await other!.stop();
  await one!.settled(60_000);
});

it('C13: another fact with the number of one that was applied is dropped like a repetition: the first one stays, and nobody is told', async () => {
  scene = await ModelScene.open(at, 'forged');
  const model = await scene.model('c13');
  await scene.state(16);
  await model.settled();
  const forged = scene.next('k3');
  scene.stated.pop(); // it was never stated
  await scene.send([{ ...forged, value: renumbered(forged.value, 1) }]);
  await until('it to be read', async () => (await model.positions()).reduce((sum, next) => sum + next, 0) === 17);
  await model.settled();
  expect({ letters: await model.letters(), state: model.status.state, duplicates: model.live.engine.duplicates }).toEqual({ letters: [], state: 'LIVE', duplicates: 1 });
});

it('C15: the first records of a topic, published once more at its end, change nothing, also for a process that remembers nothing', async () => {
  scene = await ModelScene.open(at, 'repeated');
  const records = Array.from({ length: 24 }, (_, nth) => scene!.next(`k${nth % 8}`));
  await scene.send(records);
  const first = await scene.model('c15');
  await first.settled();
  await first.stop();
  await scene.send(records.slice(0, 8));
  const restarted = await scene.model('c15');
  await restarted.settled();
  expect(restarted.live.engine.duplicates).toBe(8);
});

/** A published value under another number: the number is a byte while it is below 64. */
function renumbered(value: Buffer, sequence: number): Buffer {
  const unnumbered = Buffer.from(value);
  unnumbered[21] = 0;
  return withSequence(unnumbered, sequence);
}

slow('C20: a database that is much slower than the log has fetching paused: memory is bounded, nothing is lost, and it catches up', async () => {
  scene = await ModelScene.open(at, 'slow_database');
  const proxy = await FaultProxy.to(at.postgresUrl);
  const calls: string[] = [];
  const model = await scene.model('c20', { store: at.store(proxy.through(scene.databaseUrl)), log: noting(at.log(), calls) });
  await scene.state(8);
  await model.settled();
  proxy.latency(2_000);
  await scene.stateLarge('k0', 4_000, 8_000);
  await until('the partition to be paused', () => calls.includes('pause'));
  const { external } = process.memoryUsage();
  proxy.latency(0);
  await proxy.heal();
  await model.settled(60_000);
  expect(calls).toContain('resume');
  expect(external).toBeLessThan(128 * 1024 * 1024);
  await model.stop();
  await proxy.close();
});

/** Writes down what a subscription asks of its log. */
function noting(log: FactLog, calls: string[]): FactLog {
  const { subscribe } = log;
  log.subscribe = async (options) => {
    const inner = await subscribe.call(log, options);
    return {
      pause: (topic, partition) => (calls.push('pause'), inner.pause(topic, partition)),
      resume: (topic, partition) => (calls.push('resume'), inner.resume(topic, partition)),
      report: (positions) => inner.report(positions),
      stop: () => inner.stop(),
    };
  };
  return log;
}
