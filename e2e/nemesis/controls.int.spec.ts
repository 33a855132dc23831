import type { SubscriptionTarget } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import { type LogRecord, partitionOf } from 'factline/log';
import { type World, until, world } from 'factline/testing';
import { PARTITIONS, openTopic } from '../../bench/scene.js';
import type { FaultClass, Finding } from './checkers/finding.js';
import { RetryTopicTally, UnfencedTally } from './controls/broken-tallies.js';
import { ControlScene } from './controls/control-scene.js';
import { IdCursorRelay } from './controls/id-cursor-relay.js';
import { ReactionScene } from './controls/reaction-scene.js';
import { leaderMoves, oneSendForAll } from './controls/one-send-for-all.js';

/** A checker that passes everything proves nothing: each of these parts is broken in one way, and next to it the product's own part does the same work and passes. */
let at: World;
let scene: ControlScene;

beforeAll(async () => {
  at = await world();
});

afterEach(() => scene.stop());

afterAll(() => at?.close());

const classes = (findings: readonly Finding[]) => [...new Set(findings.map(({ class: name }) => name))].toSorted();
const each = <Broken>(broken: Broken, sound: Broken, ...found: FaultClass[]) => [
  ['broken', broken, found.toSorted()] as const,
  ['sound', sound, [] as FaultClass[]] as const,
];

describe('a relay that goes by ids', () => {
  it.each(each('cursor', 'product', 'lost-write'))('%s: a transaction that commits after a later one', async (_which, relay, found) => {
    scene = await ControlScene.open(at, `id-${relay}`);
    const cursor = new IdCursorRelay(scene.store, scene.log, scene.topic, PARTITIONS);
    const tick = () => (relay === 'cursor' ? cursor.tick() : scene.publish());
    await scene.ledger.wave();
    const commit = await scene.ledger.hold();
    await scene.ledger.wave();
    await tick();
    await commit();
    await tick();
    expect(classes(await scene.judge())).toEqual(found);
  });
});

describe('a send for several partitions', () => {
  it.each(each(true, false, 'lost-write', 'inversion'))('%s: the leader of one of them moves', async (_which, together, found) => {
    scene = await ControlScene.open(at, `send-${together ? 'together' : 'apart'}`);
    await scene.ledger.wave();
    const moving = leaderMoves(scene.log, scene.topic, partitionOf(Buffer.from(scene.ledger.committed[0]!.key), PARTITIONS));
    const log = together ? oneSendForAll(moving) : moving;
    await scene.publish(log);
    await scene.ledger.wave();
    await scene.publish(log);
    expect(classes(await scene.judge())).toEqual(found);
  });
});

describe('a reaction without an inbox', () => {
  it.each(each(false, true, 'doubled-effect', 'nonmonotonic-poll'))('%s: it is stopped, another one takes over, it goes on', async (_which, inbox, found) => {
    scene = await ControlScene.open(at, `inbox-${inbox ? 'kept' : 'none'}`);
    const reaction = await ReactionScene.open(at, scene, scene.topic);
    try {
      await scene.ledger.wave();
      await scene.publish();
      const zombie = reaction.start({ stopped: true, inbox });
      await until('the first process to hold a fact', zombie.holds);
      reaction.start({ stopped: false, inbox: true });
      await reaction.handled();
      zombie.goOn();
      await until('the first process to have gone on', () => zombie.live.counts.handled + zombie.live.counts.overtaken > 0);
      expect(zombie.live.counts.overtaken > 0).toBe(inbox);
      const events = await reaction.events();
      expect(events.filter(({ type }) => type === 'applied').length).toBeGreaterThan(0);
      expect(classes(await scene.judge(events))).toEqual(inbox ? found : expect.arrayContaining(found));
    } finally {
      await reaction.stop();
    }
  });
});

/** The target as a process sees it that is stopped with work in its hands, and goes on later. */
function stopped(target: SubscriptionTarget): { target: SubscriptionTarget; holding: () => number; goOn: () => void; ended: () => number } {
  let [holding, ended] = [0, 0];
  let goOn!: () => void;
  const released = new Promise<void>((resolve) => (goOn = resolve));
  const slow: SubscriptionTarget = {
    generation: () => target.generation(),
    claim: (topics, partitions) => target.claim(topics, partitions),
    recordAsOf: (entries) => target.recordAsOf(entries),
    apply: async (checkpoint, work) => {
      holding++;
      await released;
      try {
        return await target.apply(checkpoint, work);
      } finally {
        ended++;
      }
    },
  };
  return { target: slow, holding: () => holding, goOn, ended: () => ended };
}

describe('a consumer without compare-and-set', () => {
  it.each(each(true, false, 'doubled-effect', 'nonmonotonic-poll', 'wrong-row'))('%s: it is stopped, another one takes over, it goes on', async (_which, unfenced, found) => {
    scene = await ControlScene.open(at, `fence-${unfenced ? 'none' : 'kept'}`);
    const target = () => (unfenced ? new UnfencedTally(scene) : scene.soundTarget());
    await scene.audit(target());
    await scene.ledger.wave();
    await scene.publish();
    const zombie = stopped(target());
    const first = scene.subscribe(zombie.target);
    await until('the first consumer to hold work', () => zombie.holding() > 0);
    scene.subscribe(target());
    await scene.applied();
    await scene.ledger.wave();
    await scene.publish();
    await scene.applied();
    zombie.goOn();
    await until('the first consumer to have gone on', () => zombie.ended() === zombie.holding());
    expect(first.status.counts.fenced > 0).toBe(!unfenced);
    // How much of the second wave is in the zombie's hands is not ours to say, so what else is found is not either.
    expect(classes(await scene.judge())).toEqual(unfenced ? expect.arrayContaining(found) : found);
  });
});

describe('a consumer with a retry topic', () => {
  it.each(each(true, false, 'nonmonotonic-poll', 'wrong-row'))('%s: one fact cannot be applied at once', async (_which, retries, found) => {
    scene = await ControlScene.open(at, `retry-${retries ? 'topic' : 'none'}`);
    await scene.ledger.wave();
    await scene.ledger.wave();
    const { key } = scene.ledger.committed.find(({ sequence }) => sequence === 3)!;
    let seen = 0;
    /** The second fact of a key that has three at least. */
    const fails = (record: LogRecord) => record.key.toString() === key && ++seen === 2;
    const retryTopic = await openTopic(at, scene.log, `${scene.topic}.retry`);
    const withRetries = new RetryTopicTally(scene, scene.log, retryTopic, PARTITIONS, fails);
    const target = retries ? withRetries : failingOnce(scene.soundTarget(), (record) => record.key.toString() === key);
    await scene.audit(retries ? withRetries : scene.soundTarget());
    await scene.publish();
    scene.subscribe(target);
    await scene.applied();
    if (retries) await withRetries.retry();
    expect(classes(await scene.judge())).toEqual(found);
  });
});

/** The first work with such a record meets a database that does not answer. */
function failingOnce(target: SubscriptionTarget, fails: (record: LogRecord) => boolean): SubscriptionTarget {
  let failed = false;
  return {
    generation: () => target.generation(),
    claim: (topics, partitions) => target.claim(topics, partitions),
    recordAsOf: (entries) => target.recordAsOf(entries),
    apply: (checkpoint, work) => {
      if (failed || !work.records.some(fails)) return target.apply(checkpoint, work);
      failed = true;
      return Promise.reject(new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The database does not answer.', advice: 'Try again.' }));
    },
  };
}
