import { type Fault, domainOf, scheduleOf } from './schedule.js';

const able = { diskFull: true, clock: true };
const of = (seed: number, minutes = 5) => scheduleOf({ seed, minutes, brokers: 1, able });
const SEEDS = Array.from({ length: 50 }, (_, i) => i * 7_919);

it('gives the same faults for the same seed, and others for another', () => {
  expect(of(42)).toEqual(of(42));
  expect(of(42)).not.toEqual(of(43));
});

it.each([2, 5])('has in %s minutes what takes every rare path, whatever the seed', (minutes) => {
  const wanted = ['poison hr.employee', 'gap scratch', 'refuse payslips-keys', 'outage payslips', 'zombie payroll-1', 'pause tally-2', 'pause relay-owner', 'kill relay-owner', 'swallow kafka', 'swallow postgres', 'cut kafka', 'disk-full postgres', 'clock hr-1'];
  for (const seed of SEEDS) {
    const faults = new Set(of(seed, minutes).map(({ kind, target }) => `${kind} ${target}`));
    expect([seed, wanted.filter((each) => !faults.has(each))]).toEqual([seed, []]);
  }
});

it('never does two things to one target at a time, since one would heal the other', () => {
  const overlaps = (faults: readonly Fault[]) =>
    faults.flatMap((one) => faults.filter((other) => other.id > one.id && domainOf(other.target) === domainOf(one.target) && other.startMs < one.startMs + one.durationMs).map((other) => [one.id, other.id]));
  for (const seed of SEEDS) expect(overlaps(of(seed))).toEqual([]);
});

it('leaves out what this machine cannot do', () => {
  const kinds = SEEDS.flatMap((seed) => scheduleOf({ seed, minutes: 5, brokers: 3, able: { diskFull: false, clock: false } }).map(({ kind }) => kind));
  expect([...new Set(kinds)].toSorted()).toEqual(['blackhole', 'cut', 'gap', 'kill', 'outage', 'pause', 'poison', 'refuse', 'swallow', 'zombie']);
});

it('meets each of three brokers', () => {
  const targets = new Set(SEEDS.flatMap((seed) => scheduleOf({ seed, minutes: 5, brokers: 3, able }).map(({ target }) => target)));
  expect(['kafka-1', 'kafka-2', 'kafka-3'].filter((broker) => !targets.has(broker))).toEqual([]);
});
