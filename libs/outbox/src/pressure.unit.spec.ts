import { type Backlog, PressureGauge, type PressureLimits, judge } from './pressure.js';

const limits: PressureLimits = { soft: { rows: 10, bytes: 1_000, oldestAgeMs: 500 }, hard: { rows: 100, bytes: 10_000, oldestAgeMs: 5_000 } };
const nothing: Backlog = { rows: 0, bytes: 0, oldestAgeMs: 0 };

it.each([
  [{}, 'ok', 0],
  [{ rows: 9, bytes: 999, oldestAgeMs: 499 }, 'ok', 0],
  [{ rows: 10 }, 'soft', 1],
  [{ oldestAgeMs: 500, bytes: 1_000 }, 'soft', 2],
  [{ bytes: 10_000 }, 'hard', 1],
  [{ rows: 100, oldestAgeMs: 600 }, 'hard', 2],
] as const)('%j is %s with %d reasons', (backlog, state, reasons) => {
  const pressure = judge({ ...nothing, ...backlog }, limits);
  expect(pressure.state).toBe(state);
  expect(pressure.reasons).toHaveLength(reasons);
});

it('the age goes on rising between measurements, and only when something waits', async () => {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  let backlog: Backlog = { ...nothing, rows: 1, oldestAgeMs: 100 };
  const gauge = new PressureGauge({ measure: () => Promise.resolve(backlog), limits, clock });
  expect((await gauge.measure()).state).toBe('ok');
  now = 400;
  expect(gauge.current).toMatchObject({ state: 'soft', oldestAgeMs: 500 });
  now = 4_899;
  expect([gauge.current.state, gauge.isHard]).toEqual(['soft', false]);
  now = 4_900;
  expect([gauge.current.state, gauge.isHard]).toEqual(['hard', true]);
  backlog = nothing;
  await gauge.measure();
  now = 50_000;
  expect(gauge.current).toMatchObject({ state: 'ok', oldestAgeMs: 0 });
  expect(gauge.isHard).toBe(false);
});

it.each([
  [{}, false],
  [{ rows: 99, bytes: 9_999, oldestAgeMs: 4_999 }, false],
  [{ rows: 100 }, true],
  [{ bytes: 10_000 }, true],
  [{ oldestAgeMs: 5_000 }, true],
])('%j is hard: %s', async (backlog, hard) => {
  const gauge = new PressureGauge({ measure: () => Promise.resolve({ ...nothing, ...backlog }), limits, clock: { now: () => 0, monotonic: () => 7 } });
  await gauge.measure();
  expect([gauge.isHard, gauge.current.state === 'hard']).toEqual([hard, hard]);
});

it('a measurement that fails leaves the last state and goes on', async () => {
  let calls = 0;
  const measure = () => (++calls === 1 ? Promise.resolve({ ...nothing, rows: 100 }) : Promise.reject(new Error('database away')));
  const gauge = new PressureGauge({ measure, limits });
  await gauge.measure();
  await expect(gauge.measure()).rejects.toThrow('database away');
  expect(gauge.current.state).toBe('hard');
});
