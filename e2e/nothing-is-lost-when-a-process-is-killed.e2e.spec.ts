import { randomInt } from 'node:crypto';
import { until } from 'factline/testing';
import { type StatedFact, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient, inParallel } from './support/hr-client.js';
import { faultsOf, faultsOfAll, settled } from './support/paid-once.js';
import { people } from './support/people.js';
import { randomFrom } from './support/random.js';
import { SteadyWriters, type Write } from './support/steady-writers.js';

const EMPLOYEES = 40;
/** A kill comes after so many acknowledged writes at least, and at most so many more: in the middle of whatever goes on then. */
const [WRITES_BEFORE_KILL, MORE_WRITES_BEFORE_KILL] = [20, 120];

/** To run a failed order again: FACTLINE_SEED=<seed>. */
const seed = Number(process.env['FACTLINE_SEED'] ?? randomInt(2 ** 31));

let here: Estate;

beforeAll(async () => {
  here = await estate();
});

afterAll(() => here?.close());

it(`every acknowledged change is published once and paid, however often hr and payroll are killed with -9 (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const apps: Record<string, App> = { hr: await here.start('hr'), payroll: await here.start('payroll') };
  const client = new HrClient(apps['hr']!.url);
  const staff = people(EMPLOYEES, here.seed);
  await inParallel(staff, 8, (person) => client.hire(person));

  const writers = new SteadyWriters(apps['hr']!.url, staff.map(({ id }) => id));
  const victims = ['hr', 'payroll', 'hr', 'payroll', 'hr', 'payroll', 'hr'];
  for (const victim of victims) {
    const from = writers.acknowledged + WRITES_BEFORE_KILL + random(MORE_WRITES_BEFORE_KILL);
    await until('the next moment to kill', () => writers.acknowledged >= from);
    await apps[victim]!.program.stop('SIGKILL');
    apps[victim] = await here.start(victim);
  }
  await writers.stop();
  await settled(here);

  expect(await faultsOfAll(here, staff.map(({ id }) => id), writers.writes)).toEqual([]);
  // The test means something: many writes, and kills in the middle of some.
  expect(writers.acknowledged).toBeGreaterThan(victims.length * WRITES_BEFORE_KILL);
  expect(writers.writes.some(({ outcome }) => outcome === 'unknown')).toBe(true);
}, 180_000);

describe('the check itself', () => {
  const fact = (sequence: number, salaryCents: number, id = `id-${sequence}`) => ({ key: 'e', sequence, id, offset: sequence, data: { salaryCents } }) as unknown as StatedFact;
  const write = (salaryCents: number, outcome: Write['outcome'] = 'acknowledged'): Write => ({ id: 'e', salaryCents, outcome });
  const hired = fact(1, 1);

  it('passes what is right: repetitions after a crash, and an unanswered write, done or not', () => {
    expect(faultsOf([hired, fact(2, 10), hired, fact(2, 10), fact(3, 20)], [write(10), write(20, 'unknown'), write(30, 'unknown')])).toEqual([]);
  });

  it('finds a lost, a doubled, a strange and a misplaced write', () => {
    expect(faultsOf([hired], [write(10)])).toEqual(['10 was acknowledged and is not in the topic']);
    expect(faultsOf([hired, fact(2, 10), fact(3, 10)], [write(10)])).toEqual(['10 is there twice']);
    expect(faultsOf([hired, fact(2, 99)], [])).toEqual(['99 was never written']);
    expect(faultsOf([hired, fact(2, 20), fact(3, 10)], [write(10), write(20)])).toEqual(['the order of the writes was not kept']);
  });

  it('refuses a missing number, one that comes too early, and one that stands for two facts', () => {
    expect(() => withoutRepetitions([hired, fact(3, 10)])).toThrow('number 3 at offset 3 follows number 1');
    expect(() => withoutRepetitions([fact(2, 10), hired])).toThrow('number 2 at offset 2 follows number 0');
    expect(() => withoutRepetitions([hired, fact(1, 10, 'other')])).toThrow('stands for two facts');
  });
});
