import fc from 'fast-check';
import { simulationRuns, simulationTimeoutMs } from 'factline/testing/simulation';
import { FAULTS, type Plan, SOUND, firstOnly, plan, play } from './plan.spec.support.js';
import type { Mutation } from './store.spec.support.js';
import type { Verdict } from './world.spec.support.js';

const RUNS = 120;
/** Runs in which a control must be found, and it ends with the first that finds it: none took more than 44 in six times. */
const CONTROL_RUNS = 1_000;

it('a key with a fact that cannot be applied keeps that fact and all later ones, other keys go on, and no lost answer halts anything', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(plan(), async (each) => expect(await play(each, FAULTS, reached)).toEqual([SOUND, SOUND])), runs);
  if (runs.path === undefined) expect([...reached]).toEqual(expect.arrayContaining(['a fact parked behind another', 'a key repaired']));
}, simulationTimeoutMs());

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
    const { failed } = await fc.check(fc.asyncProperty(given.plan, sound), { numRuns: CONTROL_RUNS, endOnFailure: true });
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
