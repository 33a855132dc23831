import fc from 'fast-check';
import { Simulation, simulationRuns } from 'factline/testing';
import { type Kind, type Stated, numbered, withDuplicates } from '../accounts.spec.support.js';
import type { Mutation } from './store.spec.support.js';
import { type Disturbance, POISON, ReadModelWorld, type Verdict, type WorldOptions } from './world.spec.support.js';

const SOUND: Verdict = { wrongRow: [], letterMissing: [], letterTwice: [], halted: [], torn: [] };
/** Of each control as many as of what must hold. */
const RUNS = 120;
/** Faults go on for so long after the last fact, or until all is applied: most of the work is done under them. */
const FAULTY_STEPS = 1_500;
/** Steps after which everything published must be applied or parked, once nothing fails any more. */
const REST_STEPS = 6_000;
const FAULTS: WorldOptions = { log: { refused: 0.05, repeated: 0.1, truncated: 0.5 }, database: { refused: 0.05, answerLost: 0.05 } };

interface Plan {
  turns: fc.Scheduler;
  seed: number;
  history: Stated[];
  again: [number, number][];
  disturbances: Disturbance[];
}

const step = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  kind: fc.constantFrom<Kind>('Opened', 'Paid', 'Paid', 'Paid', 'Closed'),
  owner: fc.constant('Ada'),
  cents: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) }, { weight: 1, arbitrary: fc.constant(POISON) }),
});
const plan = (kinds: Disturbance['kind'][] = ['kill a member', 'rebalance', 'repair'], most = 4): fc.Arbitrary<Plan> => fc.record({
  turns: fc.scheduler(),
  seed: fc.nat(),
  history: fc.array(step, { minLength: 4, maxLength: 40 }).map((steps) => numbered(steps)),
  again: fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 5 }),
  disturbances: fc.array(fc.record({ after: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom(...kinds) }), { maxLength: most }),
});

/** @returns what holds when all is applied or parked, and what holds after the last repair. */
async function play({ turns, seed, history, again, disturbances }: Plan, options: WorldOptions, reached = new Set<string>()): Promise<[Verdict, Verdict]> {
  const simulation = new Simulation(turns, seed);
  return simulation.play(async () => {
    const world = new ReadModelWorld(simulation, history, options);
    world.startMember();
    world.startMember();
    const disturbing = (async () => {
      for (const each of disturbances) await world.disturb(each);
    })();
    await Promise.all([world.publish(withDuplicates(history, again)), disturbing]);
    await simulation.within(FAULTY_STEPS, () => world.complete());
    simulation.heal();
    await simulation.within(REST_STEPS, () => world.complete());
    const blocked = world.judge();
    await world.repair();
    const repaired = world.judge();
    await world.stop();
    for (const each of world.reached) reached.add(each);
    return [blocked, repaired];
  });
}

it('a key with a fact that cannot be applied keeps that fact and all later ones, other keys go on, and no lost answer halts anything', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(plan(), async (each) => expect(await play(each, FAULTS, reached)).toEqual([SOUND, SOUND])), { ...runs, endOnFailure: true });
  if (runs.path === undefined) expect([...reached]).toEqual(expect.arrayContaining(['a fact parked behind another', 'a key repaired']));
});

/** Parks the fact that failed, and not those behind it. */
const firstOnly: Mutation = (text, values) => {
  if (!/^insert into \S+dead_letter/.test(text)) return { text, values };
  const codes = values[5] as (string | null)[];
  const failed = (_each: unknown, at: number) => codes[at] !== null;
  return { text, values: values.map((each) => (Array.isArray(each) ? each.filter(failed) : each)) };
};

/** Finds no key blocked. */
const forgetful: Mutation = (text, values) => ({ text, values: text.endsWith('for share') ? [values[0], values[1], []] : values });

const controls: { name: string; finds: keyof Verdict; mutate: Mutation; plan: fc.Arbitrary<Plan>; kept: { seed: number; path: string } }[] = [
  { name: 'a key that is parked without its later facts', finds: 'letterMissing', mutate: firstOnly, plan: plan(), kept: { seed: 1514702573, path: '3' } },
  { name: 'later facts applied to a blocked key', finds: 'wrongRow', mutate: forgetful, plan: plan(['kill a member', 'rebalance']), kept: { seed: 1969969952, path: '5' } },
  {
    name: 'rows written without compare-and-set',
    finds: 'torn',
    mutate: (text, values) => ({ text: text.replace(/ and next_offset = \$3 and generation = \$4 and epoch = \$5/, ''), values }),
    plan: plan(['rebalance'], 12),
    kept: { seed: -103609896, path: '6' },
  },
];

describe('control: the simulation finds', () => {
  it.each(controls)('$name', async ({ finds, mutate, ...given }) => {
    const found: Verdict[keyof Verdict][] = [];
    const sound = async (each: Plan) => {
      const [blocked] = await play(each, { ...FAULTS, mutate });
      if (blocked[finds].length > 0) found.push(blocked[finds]);
      expect(blocked[finds]).toEqual([]);
    };
    const { failed } = await fc.check(fc.asyncProperty(given.plan, sound), { numRuns: RUNS, endOnFailure: true });
    expect(failed).toBe(true);
    expect(found).toHaveLength(1);
  });
});

/** Runs that failed with earlier code. */
const faults = [
  { name: 'a lost answer to the commit of parked facts, which halted the partition', plan: plan(), kept: { seed: 2144279600, path: '6' } },
  { name: 'facts of a batch that was rolled back with the commit, dropped as duplicates', plan: plan(), kept: { seed: 1889246486, path: '299' } },
];
const kept = [...controls, ...faults];

it.each(kept)('the run that found $name holds with the code as it is', async (each) => {
  const sound = fc.asyncProperty(each.plan, async (one) => expect(await play(one, FAULTS)).toEqual([SOUND, SOUND]));
  await fc.assert(sound, { ...each.kept, numRuns: 1, endOnFailure: true });
});
