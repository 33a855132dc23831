import type { RelayPoint } from 'factline/outbox';
import type { ConsumerPoint, RelayRole } from './support/crash-child.js';
import { type CrashScene, type CrashSite, crashSite, goneFrom, killedAt } from './support/crash-scene.js';
import { type CommittedFact, type TallyRow, tableFaults, topicFaults } from './support/effect-once.js';
import type { StatedFact } from './support/employee-topic.js';
import type { Program } from './support/program.js';

let site: CrashSite;

beforeAll(async () => {
  site = await crashSite();
});

afterEach(() => site.clear());
afterAll(() => site?.close());

const IN_ORDER = { code: 0, signal: null };

/** Facts are stated before the process starts, while it works, and after its death. */
async function killedAmongFacts({ ledger }: CrashScene, program: Program, point: string): Promise<void> {
  await ledger.write(() => !program.running);
  expect(await killedAt(program)).toBe(point);
  await ledger.wave();
  expect(ledger.rolledBack).toBeGreaterThan(0);
}

/** Every committed fact counts once in the table, by a consumer that is not killed. */
async function expectTableRight(scene: CrashScene): Promise<void> {
  const consumer = scene.consumer();
  expect(tableFaults(scene.ledger.committed, await scene.appliedBy(consumer))).toEqual([]);
  expect(await consumer.stop()).toEqual(IN_ORDER);
}

describe('a relay killed with -9 (A5 after the ack and before the mark, A6 after the claim and before the send)', () => {
  /** `repeats`: whether the next relay must publish some facts again (the control that the kill was where it should be), must not, or may. */
  type Kill = { nth: number; repeats: 'some' | 'none' | 'maybe' } & Pick<RelayRole, 'stopAt' | 'holdAt'>;
  /** Every point that a relay names: one that is added must be killed here, too. */
  const kills: Record<RelayPoint['name'], Kill> = {
    acquired: { nth: 1, repeats: 'none' },
    'tick-read': { nth: 3, repeats: 'maybe' },
    'page-sent': { nth: 2, repeats: 'some' },
    'progress-stored': { nth: 2, repeats: 'maybe' },
    'watermark-sent': { nth: 1, repeats: 'maybe' },
    'slot-switched': { nth: 2, repeats: 'maybe', holdAt: { name: 'tick-read', nth: 3 } }, // with unpublished facts in all three slots
    'slot-emptied': { nth: 1, repeats: 'maybe' },
    released: { nth: 1, repeats: 'none', stopAt: { name: 'page-sent', nth: 1 } }, // in the middle of a tick
  };

  it.each(Object.entries(kills) as [RelayPoint['name'], Kill][])('at %s loses nothing, invents nothing and keeps the order', async (point, { nth, repeats, ...where }) => {
    const scene = await site.scene(`relay_${point.replace('-', '_')}`);
    const { ledger } = scene;
    await ledger.wave();
    const commitHeld = await ledger.hold();
    if (where.holdAt) await commitHeld(); // an open transaction would keep its slot from being emptied, whatever is in it
    await killedAmongFacts(scene, scene.relay({ crashAt: { name: point, nth }, ...where }), point);
    if (!where.holdAt) await commitHeld(); // its id lies below what the dead one had published

    const next = scene.relay();
    await scene.published(next);
    expect(await next.stop()).toEqual(IN_ORDER);
    const found = await scene.stated();
    expect(topicFaults(ledger.committed, found, 1)).toEqual([]);
    const repeated = found.length - ledger.committed.length;
    if (repeats === 'some') expect(repeated).toBeGreaterThan(0);
    if (repeats === 'none') expect(repeated).toBe(0);
    await expectTableRight(scene);
  });
});

describe('C1: a consumer killed with -9', () => {
  const kills: Record<ConsumerPoint, number> = { claimed: 1, 'before-effect': 3, 'effect-committed': 3, 'as-of-recorded': 1 };

  it.each(Object.entries(kills) as [ConsumerPoint, number][])('at %s applies every fact once', async (point, nth) => {
    const scene = await site.scene(`consumer_${point.replaceAll('-', '_')}`);
    const stopPublishing = scene.publish();
    await scene.ledger.wave();
    await killedAmongFacts(scene, scene.consumer({ name: point, nth }), point);
    expect(topicFaults(scene.ledger.committed, await scene.published(), 0)).toEqual([]);
    await expectTableRight(scene);
    await stopPublishing();
  });

  describe('while its statement is in the hands of the server', () => {
    /** A consumer that died while the server held its statements back. */
    async function killedInFlight(name: string): Promise<{ scene: CrashScene; waiting: number[]; release: () => Promise<void> }> {
      const scene = await site.scene(name);
      const stopPublishing = scene.publish();
      await scene.ledger.wave();
      await scene.published();
      await stopPublishing();
      expect(await killedAt(scene.consumer({ name: 'claimed', nth: 1 }))).toBe('claimed'); // the tables exist now, and are empty
      const release = await scene.holdTable();
      const consumer = scene.consumer();
      const waiting = await scene.effectsHeldBack();
      expect(await consumer.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await scene.rows()).toEqual([]);
      return { scene, waiting, release };
    }

    it('and committed after its death, applies every fact once', async () => {
      const { scene, waiting, release } = await killedInFlight('flight_committed');
      await release();
      await goneFrom(site.store, waiting);
      expect(await scene.rows()).not.toEqual([]); // the effect of a dead process
      await expectTableRight(scene);
    });

    it('and dropped after its death, applies every fact once', async () => {
      const { scene, waiting, release } = await killedInFlight('flight_dropped');
      await site.store.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [waiting]);
      await goneFrom(site.store, waiting);
      await release();
      expect(await scene.rows()).toEqual([]);
      await expectTableRight(scene);
    });

    it('and let go only when a successor has claimed the partitions, writes nothing, and every fact is applied once', async () => {
      const { scene, waiting, release } = await killedInFlight('flight_outlived');
      await scene.claim();
      expect(await scene.effectsHeldBack()).toEqual(waiting); // still there, behind the claim
      await release();
      await goneFrom(site.store, waiting);
      expect(await scene.rows()).toEqual([]);
      await expectTableRight(scene);
    });
  });
});

describe('the check itself', () => {
  it.each([
    ['is right with the checkpoint in the transaction of the effect', 'by-hand-with-the-effect'],
    ['is doubled, and seen to be, with the checkpoint stored after it', 'by-hand-apart'],
  ] as const)('a table that adds up without a look at sequences %s', async (_what, target) => {
    const scene = await site.scene(target.replaceAll('-', '_'));
    const stopPublishing = scene.publish();
    await scene.ledger.wave();
    await killedAmongFacts(scene, scene.consumer({ name: 'effect-committed', nth: 3 }, target), 'effect-committed');
    await scene.published();
    await stopPublishing();
    const consumer = scene.consumer(undefined, target);
    const rows = await scene.appliedBy(consumer);
    expect(await consumer.stop()).toEqual(IN_ORDER);
    const faults = tableFaults(scene.ledger.committed, rows);
    const surplus = rows.reduce((sum, { facts }) => sum + facts, 0) - scene.ledger.committed.length;
    if (target === 'by-hand-apart') expect([faults.length > 0, surplus > 0]).toEqual([true, true]);
    else expect([faults, surplus]).toEqual([[], 0]);
  });

  const committed: CommittedFact[] = [1, 2, 3].map((sequence) => ({ key: 'k', sequence, id: `id-${sequence}`, cents: sequence * 10 }));
  const stated = (sequences: readonly number[], id = (sequence: number) => `id-${sequence}`) =>
    sequences.map((sequence, offset) => ({ key: 'k', sequence, offset, id: id(sequence), data: { salaryCents: sequence * 10 } }) as unknown as StatedFact);

  it('passes a topic that is right: each once, or begun again after a kill', () => {
    expect(topicFaults(committed, stated([1, 2, 3]), 0)).toEqual([]);
    expect(topicFaults(committed, stated([1, 2, 1, 2, 3]), 1)).toEqual([]);
    expect(topicFaults(committed, stated([1, 2, 3, 3]), 1)).toEqual([]);
  });

  it.each<[string, number[], string[]]>([
    ['a missing fact', [1, 3], ['k/3 at offset 1 follows number 1', 'k/2 is missing']],
    ['a missing last fact', [1, 2], ['k/3 is missing']],
    ['two facts in the wrong order', [1, 3, 2], ['k/3 at offset 1 follows number 1']],
    ['a repetition with a hole', [1, 2, 3, 1, 3], ['k/3 at offset 4 follows number 1']],
    ['a fact that was never committed', [1, 2, 3, 4], ['k/4 at offset 3 was never committed']],
    ['a second repetition', [1, 1, 1, 2, 3], ['k began again 2 times, with 1 kills']],
  ])('finds %s', (_what, sequences, faults) => {
    expect(topicFaults(committed, stated(sequences), 1)).toEqual(faults);
  });

  it('finds a repetition without a kill, and a rolled-back fact under a number that another one got', () => {
    expect(topicFaults(committed, stated([1, 2, 2, 3]), 0)).toEqual(['k began again 1 times, with 0 kills']);
    expect(topicFaults(committed, stated([1, 2, 3], (sequence) => (sequence === 2 ? 'id-rolled-back' : `id-${sequence}`)), 1)).toEqual(['k/2 at offset 1 was never committed']);
  });

  it.each<[string, TallyRow[], string]>([
    ['a fact applied twice', [{ key: 'k', facts: 4, lastSequence: 3, cents: 80 }], '4 facts up to number 3 with 80 cents'],
    ['a fact skipped', [{ key: 'k', facts: 2, lastSequence: 3, cents: 40 }], '2 facts up to number 3 with 40 cents'],
    ['one twice in the place of another', [{ key: 'k', facts: 3, lastSequence: 3, cents: 50 }], '3 facts up to number 3 with 50 cents'],
    ['a missing row', [], 'nothing'],
  ])('finds %s in a table', (_what, rows, is) => {
    expect(tableFaults(committed, [{ key: 'k', facts: 3, lastSequence: 3, cents: 60 }])).toEqual([]);
    expect(tableFaults(committed, rows)).toEqual([`k has ${is}, not 3 facts up to number 3 with 60 cents`]);
  });

  it('finds a row of a key that nobody stated', () => {
    expect(tableFaults([], [{ key: 'k', facts: 1, lastSequence: 1, cents: 10 }])).toEqual(['k has 1 facts up to number 1 with 10 cents, not nothing']);
  });
});
