import fc from 'fast-check';
import { simulationRuns, simulationTimeoutMs } from 'factline/testing/simulation';
import { FAULTS, type Plan, SOUND, firstOnly, plan, play } from './plan.spec.support.js';
import { type RebuildOptions, SimulatedRebuild } from './rebuild.spec.support.js';
import type { ReadModelWorld, Verdict } from './world.spec.support.js';

const RUNS = 80;
/** Runs in which a control must be found, and it ends with the first that finds it: none took more than 44 in six times. */
const CONTROL_RUNS = 1_000;

const LATEST_BEGIN_TURNS = 100;

const disturbed = plan(['kill a member', 'rebalance', 'repair', 'kill the rebuild', 'kill the rebuild'], 5);

/** A rebuild that begins among the first facts, or when all are published. */
const rebuild = (options?: RebuildOptions) => (world: ReadModelWorld) => {
  const { simulation } = world;
  const running = new SimulatedRebuild(world, options);
  world.restartRebuild = () => running.start();
  const begin = (turns: number) => (turns > 0 ? simulation.later('the rebuild is not begun', () => begin(turns - 1)) : world.restartRebuild());
  begin(Math.floor(simulation.time.random() * LATEST_BEGIN_TURNS));
  return () => running.swapped;
};

it('a build from zero, by processes that die, beside a live model with blocked keys, goes live with the rows and the dead letters that the facts make', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(disturbed, async (each) => expect(await play(each, FAULTS, reached, rebuild())).toEqual([SOUND, SOUND])), runs);
  if (runs.path === undefined) expect([...reached]).toEqual(expect.arrayContaining(['a swap', 'a rebuild called again', 'a rebuild that went on']));
}, simulationTimeoutMs());

const controls: { name: string; finds: keyof Verdict; options: RebuildOptions; kept: { seed: number; path: string } }[] = [
  { name: 'a build that parks a key without its later facts', finds: 'letterMissing', options: { mutate: firstOnly }, kept: { seed: 742575664, path: '1' } },
  { name: 'a build that goes on without a look at what is loaded', finds: 'torn', options: { looks: false }, kept: { seed: -1316591834, path: '4' } },
];

describe('control: the simulation finds', () => {
  it.each(controls)('$name', async ({ finds, options }) => {
    const found: Verdict[keyof Verdict][] = [];
    const sound = async (each: Plan) => {
      const [blocked] = await play(each, FAULTS, undefined, rebuild(options));
      if (blocked[finds].length > 0) found.push(blocked[finds]);
      expect(blocked[finds]).toEqual([]);
    };
    const { failed } = await fc.check(fc.asyncProperty(disturbed, sound), { numRuns: CONTROL_RUNS, endOnFailure: true });
    expect(failed).toBe(true);
    expect(found).toHaveLength(1);
  });
});

it.each(controls)('the run that found $name holds with the code as it is', async ({ kept }) => {
  const sound = fc.asyncProperty(disturbed, async (each) => expect(await play(each, FAULTS, undefined, rebuild())).toEqual([SOUND, SOUND]));
  await fc.assert(sound, { ...kept, numRuns: 1, endOnFailure: true });
});

it('an attempt that ends while rows are being loaded waits for them: the next one would not see their checkpoint, and load them again', async () => {
  const sound = fc.asyncProperty(disturbed, async (each) => expect(await play(each, FAULTS, undefined, rebuild())).toEqual([SOUND, SOUND]));
  await fc.assert(sound, { seed: 753069728, path: '20', numRuns: 1, endOnFailure: true });
});
