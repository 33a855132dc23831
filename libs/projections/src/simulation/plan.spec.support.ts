import fc from 'fast-check';
import { Simulation } from 'factline/testing/simulation';
import { type Kind, type Stated, numbered, withDuplicates } from '../accounts.spec.support.js';
import type { Mutation } from './store.spec.support.js';
import { type Disturbance, POISON, ReadModelWorld, type Verdict, type WorldOptions } from './world.spec.support.js';

export const SOUND: Verdict = { wrongRow: [], letterMissing: [], letterTwice: [], halted: [], torn: [] };
/** Faults go on for so long after the last fact, or until all is applied: most of the work is done under them. */
const FAULTY_STEPS = 1_500;
/** Steps after which everything published must be applied or parked, once nothing fails any more. */
const REST_STEPS = 6_000;
export const FAULTS: WorldOptions = { log: { refused: 0.05, repeated: 0.1, truncated: 0.5 }, database: { refused: 0.05, answerLost: 0.05 } };

export interface Plan {
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
/** A history and what happens meanwhile: at most so many things of these kinds. */
export const plan = (kinds: Disturbance['kind'][] = ['kill a member', 'rebalance', 'repair'], most = 4): fc.Arbitrary<Plan> => fc.record({
  turns: fc.scheduler(),
  seed: fc.nat(),
  history: fc.array(step, { minLength: 4, maxLength: 40 }).map((steps) => numbered(steps)),
  again: fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 5 }),
  disturbances: fc.array(fc.record({ after: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom(...kinds) }), { maxLength: most }),
});

/** `beside` starts something that has to end too. @returns what holds when all is applied or parked, and what holds after the last repair. */
export async function play({ turns, seed, history, again, disturbances }: Plan, options: WorldOptions, reached = new Set<string>(), beside: (world: ReadModelWorld) => () => boolean = () => () => true): Promise<[Verdict, Verdict]> {
  const simulation = new Simulation(turns, seed);
  return simulation.play(async () => {
    const world = new ReadModelWorld(simulation, history, options);
    world.startMember();
    world.startMember();
    const ended = beside(world);
    const disturbing = (async () => {
      for (const each of disturbances) await world.disturb(each);
    })();
    await Promise.all([world.publish(withDuplicates(history, again)), disturbing]);
    await simulation.within(FAULTY_STEPS, () => world.complete());
    simulation.heal();
    await simulation.within(REST_STEPS, () => world.complete() && ended());
    const blocked = world.judge();
    await world.repair();
    const repaired = world.judge();
    await world.stop();
    for (const each of world.reached) reached.add(each);
    return [blocked, repaired];
  });
}

/** Parks the fact that failed, and not those behind it. */
export const firstOnly: Mutation = (text, values) => {
  if (!/^insert into \S+dead_letter/.test(text)) return { text, values };
  const codes = values[5] as (string | null)[];
  const failed = (_each: unknown, at: number) => codes[at] !== null;
  return { text, values: values.map((each) => (Array.isArray(each) ? each.filter(failed) : each)) };
};
