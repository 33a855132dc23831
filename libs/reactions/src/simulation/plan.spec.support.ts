import fc from 'fast-check';
import { Simulation } from 'factline/testing/simulation';
import type { Verdict } from './judge.spec.support.js';
import type { Stated, Temper } from './stated.spec.support.js';
import { type Disturbance, ReactionWorld, type WorldOptions } from './world.spec.support.js';

/** Faults go on for so long after the last fact, or until all is handled: most of the work is done under them. */
const FAULTY_STEPS = 1_500;
/** Steps after which everything published must be handled or parked, once nothing fails any more. */
const REST_STEPS = 6_000;
export const FAULTS: WorldOptions = { log: { refused: 0.05, repeated: 0.1, truncated: 0.5 }, database: { refused: 0.03, answerLost: 0.03, commitLate: 0.05 } };

export interface Plan {
  turns: fc.Scheduler;
  seed: number;
  history: Stated[];
  again: [number, number][];
  disturbances: Disturbance[];
}

const KEYS = ['a', 'b', 'c', 'd'];
const KINDS: readonly Stated['kind'][] = ['Paid', 'Paid', 'Paid', 'Paid', 'Paid', 'Noted', 'Noted', 'Torn', 'Garbage'];
const step = (keys: readonly string[], kinds: readonly Stated['kind'][], tempers: readonly Temper[]) =>
  fc.record({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom(...kinds),
    temper: fc.oneof({ weight: 5, arbitrary: fc.constant<Temper>('well') }, { weight: 2, arbitrary: fc.constantFrom(...tempers) }),
  });

function numbered(steps: readonly Omit<Stated, 'sequence'>[]): Stated[] {
  const last = new Map<string, number>();
  return steps.map((each) => {
    const sequence = (last.get(each.key) ?? 0) + (each.kind === 'Garbage' ? 0 : 1);
    last.set(each.key, sequence);
    return { ...each, sequence: each.kind === 'Garbage' ? 0 : sequence };
  });
}

/** A history and what happens meanwhile: at most so many things of these kinds. */
export const plan = (kinds: Disturbance['kind'][] = ['kill a member', 'rebalance', 'requeue', 'requeue', 'repair'], { most = 5, keys = KEYS, of = KINDS, facts = 40, least = 4, tempers = ['refused', 'broken', 'flaky', 'slow'] as readonly Temper[] } = {}): fc.Arbitrary<Plan> =>
  fc.record({
    turns: fc.scheduler(),
    seed: fc.nat(),
    history: fc.array(step(keys, of, tempers), { minLength: least, maxLength: facts }).map(numbered),
    again: fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 5 }),
    disturbances: fc.array(fc.record({ after: fc.integer({ min: 1, max: 120 }), kind: fc.constantFrom(...kinds) }), { maxLength: most }),
  });

/** @returns what holds when all is handled or parked, and what holds after the last repair; with it the number of letters that are left. */
export async function play({ turns, seed, history, again, disturbances }: Plan, options: WorldOptions = FAULTS, reached = new Set<string>()): Promise<[blocked: Verdict, repaired: Verdict, letters: number]> {
  const simulation = new Simulation(turns, seed);
  return simulation.play(async () => {
    const world = new ReactionWorld(simulation, history, options);
    world.startMember();
    world.startMember();
    const disturbing = (async () => {
      for (const each of disturbances) await world.disturb(each);
    })();
    await Promise.all([world.publish(withRepetitions(history, again)), disturbing]);
    await simulation.within(FAULTY_STEPS, () => {
      if (world.paused()) reached.add('a breaker open');
      return world.complete() && world.idle();
    });
    simulation.heal();
    world.outage = false;
    await simulation.within(REST_STEPS, () => world.complete() && world.idle());
    const blocked = world.judge();
    await world.repairAll(REST_STEPS);
    const repaired = world.judge();
    for (const each of world.reached) reached.add(each);
    const letters = world.database.view.rows('letter').length;
    await world.stop();
    return [blocked, repaired, letters];
  });
}

/** Some facts again later. `again`: pairs of which fact, and how much later. */
function withRepetitions(history: readonly Stated[], again: readonly [number, number][]): Stated[] {
  const out = [...history];
  for (const [which, later] of again) {
    const from = which % history.length;
    const at = out.lastIndexOf(history[from]!) + 1 + (later % (out.length - from));
    out.splice(Math.min(at, out.length), 0, history[from]!);
  }
  return out;
}
