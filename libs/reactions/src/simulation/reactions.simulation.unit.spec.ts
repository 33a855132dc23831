import fc from 'fast-check';
import { simulationRuns, simulationTimeoutMs } from 'factline/testing/simulation';
import { SOUND, type Verdict } from './judge.spec.support.js';
import { FAULTS, type Plan, plan, play } from './plan.spec.support.js';
import { NOTE } from './statement.spec.support.js';
import type { Mutation } from './store.spec.support.js';
import type { ReactionWorld, WorldOptions } from './world.spec.support.js';

const RUNS = 40;
/** Runs in which a control must be found, and it ends with the first that finds it. */
const CONTROL_RUNS = 1_000;
const IS_SOUND = [SOUND, SOUND, 0];

/** Many keys, so that an outage is more than facts; all of them readable, since more than ten bad keys are the software. */
const outages = plan(['outage', 'outage', 'outage', 'end of the outage', 'kill a member'], { keys: Array.from({ length: 40 }, (_, at) => `k${at}`), of: ['Paid', 'Noted'], least: 40, facts: 60, most: 3, tempers: ['well'] });

it('each fact is in effect once and in the order of its key, nothing passes one that waits, and none is lost, whatever happens to members, answers, fetches and operators', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(plan(), async (each) => expect(await play(each, FAULTS, reached)).toEqual(IS_SOUND)), runs);
  if (runs.path !== undefined) return;
  const paths = ['a fact parked behind another', 'a letter spec.refused', 'a letter reaction.failed', 'a letter fact.undecodable', 'a commit without an answer', 'a late commit', 'an inbox that was asked again', 'a former owner refused', 'a handler that took too long', 'a fact handled by a re-drive', 'a re-drive done', 'a re-drive stopped', 'a key that failed again'];
  expect([...reached]).toEqual(expect.arrayContaining(paths));
}, simulationTimeoutMs());

it('the same holds for facts of different keys that share a transaction', async () => {
  const together = { ...FAULTS, reactions: { together: 3 } };
  await fc.assert(fc.asyncProperty(plan(), async (each) => expect(await play(each, together)).toEqual(IS_SOUND)), simulationRuns(RUNS));
}, simulationTimeoutMs());

it('an outage of what many keys need parks none of them, and all go on after it', async () => {
  const reached = new Set<string>();
  const runs = simulationRuns(RUNS);
  await fc.assert(fc.asyncProperty(outages, async (each) => expect(await play(each, FAULTS, reached)).toEqual(IS_SOUND)), runs);
  if (runs.path === undefined) expect([...reached]).toContain('a breaker open');
}, simulationTimeoutMs());

interface Control {
  name: string;
  finds: keyof Verdict;
  options: WorldOptions;
  plan: fc.Arbitrary<Plan>;
  kept: { seed: number; path: string };
}

const changed = (change: (text: string, values: readonly unknown[], world: ReactionWorld) => readonly [string, readonly unknown[]]) => ({
  mutate: (world: ReactionWorld): Mutation => (text, values) => {
    const [other, others] = change(text, values, world);
    return { text: other, values: others };
  },
});

const without = (part: string) => changed((text, values) => [text.replace(part, ''), values]);

const controls: readonly Control[] = [
  { name: 'an inbox that is moved without compare-and-set', finds: 'twice', options: without(' and sequence = $3'), plan: plan(['rebalance'], { most: 12, tempers: ['slow'] }), kept: { seed: 522460839, path: '32' } },
  {
    name: 'a checkpoint that goes before the effect',
    finds: 'lost',
    options: changed((text, values, world) => [text, /set next_offset = \$6/.test(text) ? [...values.slice(0, 5), world.broker.partition(values[0] as string, values[1] as number).end, null, null] : values]),
    plan: plan(['rebalance', 'kill a member']),
    kept: { seed: -1210945406, path: '0' },
  },
  { name: 'a fact that is put aside when it fails, and tried later', finds: 'disordered', options: { putsAside: true }, plan: plan(['rebalance'], { most: 0, tempers: ['flaky'] }), kept: { seed: 1572889679, path: '0' } },
  { name: 'a re-drive of keys that nobody asked for', finds: 'beyondList', options: changed((text, values) => [text, text === NOTE ? [...values.slice(0, 3), true] : values]), plan: plan(), kept: { seed: -1305104883, path: '0' } },
  { name: 'a re-drive that does not count what it did', finds: 'miscounted', options: changed((text, values) => [text, text.includes('tried = tried + $3') ? [values[0], values[1], 0, values[3]] : values]), plan: plan(), kept: { seed: 1176116750, path: '51' } },
  { name: 'an outage that is taken for facts', finds: 'outageParked', options: { outageIs: 'refused' }, plan: outages, kept: { seed: 1595607993, path: '0' } },
];

const optionsOf = ({ options }: Control): WorldOptions => ({ ...FAULTS, ...options });

describe('control: the simulation finds', () => {
  it.each(controls)('$name', async (control) => {
    const found: string[][] = [];
    const sound = async (each: Plan) => {
      const [blocked] = await play(each, optionsOf(control));
      const wrong = [...blocked[control.finds]];
      if (wrong.length > 0) found.push(wrong);
      expect(wrong).toEqual([]);
    };
    const { failed } = await fc.check(fc.asyncProperty(control.plan, sound), { numRuns: CONTROL_RUNS, endOnFailure: true });
    expect(failed).toBe(true);
    expect(found).toHaveLength(1);
  });
});

/** Runs that failed with earlier code. */
const faults = [{ name: 'a fact that was done and became a dead letter, when it was read again behind the block of its key', plan: plan(), kept: { seed: 1965285362, path: '8' } }];

it.each([...controls, ...faults])('the run that found $name holds with the code as it is', async ({ plan: given, kept }) => {
  const sound = fc.asyncProperty(given, async (one) => expect(await play(one)).toEqual(IS_SOUND));
  await fc.assert(sound, { ...kept, numRuns: 1, endOnFailure: true });
});
