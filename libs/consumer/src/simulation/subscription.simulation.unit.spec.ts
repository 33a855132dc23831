import fc from 'fast-check';
import { Simulation, simulationRuns, simulationTimeoutMs } from 'factline/testing/simulation';
import type { SubscriptionTarget } from '../index.js';
import { ConsumerWorld, type Disturbance, type Verdict, type WorldOptions } from './world.spec.support.js';

const SOUND: Verdict = { skipped: 0, doubled: 0, disordered: 0 };
const RUNS = 150;
/** Runs in which a control must be found, and it ends with the first that finds it: the hardest took 54 on average, 191 at most in six times. */
const CONTROL_RUNS = 1_000;
/** Faults go on for so long after the last fact, or until all is applied: most of the work is done under them. */
const FAULTY_STEPS = 1_500;
/** Steps after which everything published must be in effect, once nothing fails any more. */
const REST_STEPS = 6_000;
const FAULTS: WorldOptions = { log: { refused: 0.1, repeated: 0.1, truncated: 0.5 }, database: { refused: 0.1, answerLost: 0.05 } };

interface Plan {
  turns: fc.Scheduler;
  seed: number;
  facts: [partition: number, count: number][];
  disturbances: Disturbance[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  turns: fc.scheduler(),
  seed: fc.nat(),
  facts: fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 12 })), { minLength: 2, maxLength: 10 }),
  disturbances: fc.array(
    fc.record({ after: fc.integer({ min: 1, max: 50 }), kind: fc.constantFrom('kill a member' as const, 'stop a member' as const, 'rebalance' as const, 'swap' as const, 'leave a hole' as const) }),
    { maxLength: 6 },
  ),
});

async function play({ turns, seed, facts, disturbances }: Plan, options: WorldOptions, reached = new Set<string>()): Promise<Verdict> {
  const simulation = new Simulation(turns, seed);
  return simulation.play(async () => {
    const world = new ConsumerWorld(simulation, options);
    for (let member = 0; member < 3; member++) world.startMember();
    const publishing = (async () => {
      for (const [partition, count] of facts) await world.publish(partition, count);
    })();
    const disturbing = (async () => {
      for (const each of disturbances) await world.disturb(each);
    })();
    await Promise.all([publishing, disturbing]);
    await simulation.within(FAULTY_STEPS, () => world.complete());
    simulation.heal();
    await simulation.within(REST_STEPS, () => world.complete());
    await world.stop();
    const verdict = world.judge();
    for (const each of world.reached) reached.add(each);
    return verdict;
  });
}

it('each fact is in effect once and in order, whatever happens to members, answers, fetches and generations; and all are, once faults end', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(plan, async (each) => expect(await play(each, FAULTS, reached)).toEqual(SOUND)), runs);
  if (runs.path === undefined) expect([...reached]).toEqual(expect.arrayContaining(['a commit refused', 'a partition taken away']));
}, simulationTimeoutMs());

/** Does not say that a commit was refused: the position moves on. */
const deaf = (target: SubscriptionTarget): SubscriptionTarget => ({
  generation: () => target.generation(),
  claim: (topics, partitions) => target.claim(topics, partitions),
  recordAsOf: (entries) => target.recordAsOf(entries),
  apply: async (checkpoint, work) => {
    const result = await target.apply(checkpoint, work);
    return result === 'fenced' ? { ...checkpoint, nextOffset: work.nextOffset } : result;
  },
});

const controls: { name: string; finds: keyof Verdict; options: WorldOptions; kept: { seed: number; path: string } }[] = [
  {
    name: 'a commit without compare-and-set',
    finds: 'doubled',
    options: { ...FAULTS, mutate: (text) => text.replace(/ and next_offset = \$3 and generation = \$4 and epoch = \$5/, '') },
    kept: { seed: 2086125928, path: '10' },
  },
  { name: 'a refused commit that is taken for one that held', finds: 'skipped', options: { ...FAULTS, through: deaf }, kept: { seed: -13698926, path: '1' } },
];

describe('control: the simulation finds', () => {
  it.each(controls)('$name', async ({ finds, options }) => {
    const found: Verdict[] = [];
    const sound = async (each: Plan) => {
      const verdict = await play(each, options);
      if (verdict[finds] > 0) found.push(verdict);
      expect(verdict[finds]).toBe(0);
    };
    const { failed } = await fc.check(fc.asyncProperty(plan, sound), { numRuns: CONTROL_RUNS, endOnFailure: true });
    expect(failed).toBe(true);
    expect(found).toHaveLength(1);
  });
});

it.each(controls)('the run that found $name holds with the code as it is', async ({ kept }) => {
  const sound = fc.asyncProperty(plan, async (each) => expect(await play(each, FAULTS)).toEqual(SOUND));
  await fc.assert(sound, { ...kept, numRuns: 1, endOnFailure: true });
});
