import fc from 'fast-check';
import { pause } from 'factline/kernel';
import { memoryBroker } from 'factline/log';
import { SimulatedLog, Simulation, simulationRuns, simulationTimeoutMs } from './index.js';

/** A client that fails, waits and repeats; what happened, in order. */
async function trace(turns: fc.Scheduler, seed: number): Promise<string[]> {
  const simulation = new Simulation(turns, seed);
  const broker = memoryBroker();
  broker.create([{ name: 't', partitions: 1 }]);
  const events: string[] = [];
  let failures = 0;
  const client = async (name: string) => {
    const publisher = await new SimulatedLog(simulation.process(name), broker, { refused: 0.3, unanswered: 0.1 }).publisher().catch(() => undefined);
    for (let sent = 0; publisher && sent < 3; ) {
      try {
        await publisher.send('t', 0, [{ key: Buffer.from(name), value: Buffer.from(String(sent)) }]);
        events.push(`${name} sent ${sent++} at ${Date.now()} after ${failures} failures`);
      } catch {
        failures++;
      }
    }
  };
  await simulation.play(() => Promise.all(['a', 'b'].map(client)));
  return events;
}

it('the same schedule and seed give the same run to the millisecond, others give other runs', async () => {
  const runs = async (seed: number) => {
    const traces: string[][] = [];
    for (const each of fc.sample(fc.tuple(fc.scheduler(), fc.nat()), { seed, numRuns: 5 })) traces.push(await trace(...each)); // one at a time: they share the globals
    return traces;
  };
  const first = await runs(7);
  expect(await runs(7)).toEqual(first);
  expect(await runs(8)).not.toEqual(first);
});

it('leaves the real time as it was, also when the scenario fails', async () => {
  const real = [setTimeout, clearTimeout, performance, Date.now, Math.random];
  const [turns] = fc.sample(fc.scheduler(), 1);
  await expect(new Simulation(turns!, 1).play(() => pause(60_000).then(() => Promise.reject(new Error('over'))))).rejects.toThrow('over');
  expect([setTimeout, clearTimeout, performance, Date.now, Math.random]).toEqual(real);
});

it('says so when nothing can happen any more', async () => {
  const [turns] = fc.sample(fc.scheduler(), 1);
  await expect(new Simulation(turns!, 1).play(() => new Promise(() => undefined))).rejects.toMatchObject({ code: 'testing.simulation-stuck' });
});

it('a process that was killed asks nothing and learns nothing; its death is noticed', async () => {
  const [turns] = fc.sample(fc.scheduler(), 1);
  const simulation = new Simulation(turns!, 3);
  const seen: string[] = [];
  await simulation.play(async () => {
    const dying = simulation.process('dying');
    dying.onDeath(() => seen.push('noticed'));
    const answered = dying.request('first', () => seen.push('first')).then(() => seen.push('answered'));
    await simulation.within(1, () => false);
    dying.kill();
    const second = dying.request('second', () => seen.push('second'));
    await Promise.race([answered, second, simulation.within(20, () => seen.includes('noticed'))]);
  });
  expect(seen).toContain('noticed');
  expect(seen).not.toContain('answered');
  expect(seen).not.toContain('second');
});

it('repeats one run, or makes more of them, as the environment says', () => {
  expect(simulationRuns(60, {})).toEqual({ numRuns: 60, seed: 1 });
  expect(simulationRuns(60, { FACTLINE_RUNS: '20' })).toEqual({ numRuns: 1_200 });
  expect(simulationRuns(60, { FACTLINE_SEED: '-12:3:0:1' })).toEqual({ numRuns: 1, seed: -12, path: '3:0:1', endOnFailure: true });
  expect(simulationRuns(60, { FACTLINE_SEED: '-12' })).toEqual({ numRuns: 60, seed: -12 });
  expect(simulationTimeoutMs({ FACTLINE_RUNS: '20' })).toBe(20 * simulationTimeoutMs({}));
});
