import fc from 'fast-check';
import { Simulation } from 'factline/testing/simulation';
import { type Disturbance, RelayWorld, type Verdict, type WorldOptions, type WriterStep } from './world.spec.support.js';

/** Faults go on for so long after the last fact, or until all is sent. */
const FAULTY_STEPS = 1_000;
/** Steps after which a disturbed world must have come to rest: the slowest of 2,800 sound runs took 2,238 from its begin to its end. */
const REST_STEPS = 4_000;

export const SOUND: Verdict = { lost: [], phantom: [], inverted: [], repeated: 0, owners: ['rightly'] };

/** Everything that decides a run. */
export interface Plan {
  turns: fc.Scheduler;
  seed: number;
  steps: WriterStep[];
  disturbances: Disturbance[];
}

const step: fc.Arbitrary<WriterStep> = fc.record({
  writer: fc.nat(3),
  early: fc.boolean(),
  keys: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
  ends: fc.oneof({ weight: 6, arbitrary: fc.constant('commit' as const) }, { weight: 1, arbitrary: fc.constantFrom('rollback' as const, 'crash' as const) }),
});

export function plan(...kinds: Disturbance['kind'][]): fc.Arbitrary<Plan> {
  const disturbance = fc.record({ after: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom(...kinds) });
  return fc.record({ turns: fc.scheduler(), seed: fc.nat(), steps: fc.array(step, { minLength: 4, maxLength: 16 }), disturbances: fc.array(disturbance, { maxLength: 5 }) });
}

/** Plays a plan to its end: disturbances, then peace, in which everything committed must arrive, one relay must own, and what is stated must be sent once. */
export async function play({ turns, seed, steps, disturbances }: Plan, options: WorldOptions = {}, reached = new Set<string>()): Promise<Verdict> {
  const simulation = new Simulation(turns, seed);
  return simulation.play(async () => {
    const world = new RelayWorld(simulation, options);
    world.startRelay();
    world.startRelay();
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (const each of steps.filter((one) => one.writer === writer)) await world.write(each);
    });
    const disturbing = (async () => {
      for (const each of disturbances) await world.disturb(each);
    })();
    await Promise.all([...writers, disturbing]);
    await simulation.within(FAULTY_STEPS, () => world.delivered());
    simulation.heal();
    const atRest = await simulation.within(REST_STEPS, () => world.owners().join() === 'rightly' && world.delivered());
    if (!atRest) return world.judge();
    world.makePeace();
    for (const key of ['a', 'b', 'c']) await world.write({ writer: 0, early: false, keys: [key, key], ends: 'commit' });
    await simulation.within(REST_STEPS, () => world.delivered());
    const verdict = world.judge();
    await world.stop();
    for (const each of world.reached) reached.add(each);
    return verdict;
  });
}
