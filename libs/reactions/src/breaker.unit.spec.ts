import { type Clock, FactlineError } from 'factline/kernel';
import { Breaker } from './breaker.js';
import { BREAKER_FACTS, BREAKER_KEYS, PROBE_DELAY_MS, PROBE_MAX_MS } from './limits.js';

let nowMs = 0;
const clock: Clock = { now: () => nowMs, monotonic: () => nowMs };
const error = new FactlineError({ code: 'spec.error', kind: 'internal', message: 'no' });
const keys = Array.from({ length: BREAKER_KEYS + 1 }, () => ({}));
const LAST = keys.at(-1)!;
let breaker: Breaker;
beforeEach(() => {
  nowMs = 0;
  breaker = new Breaker(clock);
});

describe('the breaker', () => {
  it('opens with the eleventh key that is retried, and not with one that fails again and again', () => {
    for (let times = 0; times < 100; times++) breaker.retries(keys[0]!, error);
    for (const key of keys.slice(0, BREAKER_KEYS)) breaker.retries(key, error);
    expect([breaker.open, breaker.probeInMs]).toEqual([undefined, 0]);
    breaker.retries(LAST, error);
    expect(breaker.open).toMatchObject({ error });
  });

  it('lets ten facts be parked, not eleven; so many of them count until enough facts have been handled', () => {
    for (const key of keys.slice(0, BREAKER_KEYS)) expect(breaker.mayPark(key, error)).toBe(true);
    expect([breaker.mayPark(LAST, error), breaker.open]).toEqual([false, expect.objectContaining({ error })]);
    breaker.succeeded(LAST, BREAKER_FACTS - 1);
    expect([breaker.open, breaker.mayPark(LAST, error)]).toEqual([undefined, false]);
    breaker.succeeded(LAST, 1);
    expect(breaker.mayPark(LAST, error)).toBe(true);
  });

  it('parks nothing while it is open', () => {
    for (const key of keys) breaker.retries(key, error);
    expect(breaker.mayPark(keys[0]!, error)).toBe(false);
  });

  it('counts once a fact that could not be parked and is tried again, and no key that was done or is no longer ours', () => {
    for (let times = 0; times < 100; times++) {
      expect(breaker.mayPark(keys[0]!, error)).toBe(true);
      breaker.notParked();
    }
    for (const key of keys) {
      breaker.retries(key, error);
      breaker.forget(key);
    }
    expect(breaker.failingKeys).toBe(0);
  });

  it('takes nothing for a probe that was under way when it opened', () => {
    for (const key of keys) breaker.retries(key, error);
    const wait = breaker.probeInMs;
    for (const key of keys) breaker.retries(key, error);
    expect(breaker.probeInMs).toBe(wait);
  });

  it('waits longer after each probe that fails, up to a limit, and begins anew after one that works', () => {
    for (const key of keys) breaker.retries(key, error);
    const waits = Array.from({ length: 12 }, () => {
      const wait = breaker.probeInMs;
      nowMs += wait - 1;
      expect(breaker.probeInMs).toBeCloseTo(1);
      nowMs += 1;
      expect(breaker.probeInMs).toBeCloseTo(0);
      breaker.retries(LAST, error);
      return wait;
    });
    expect(waits[0]).toBeGreaterThanOrEqual(0.8 * PROBE_DELAY_MS);
    expect(waits[1]).toBeGreaterThan(waits[0]!);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(0.8 * PROBE_MAX_MS);
    expect(waits.at(-1)).toBeLessThanOrEqual(PROBE_MAX_MS);
    breaker.succeeded(LAST, 1);
    expect([breaker.open, breaker.failingKeys, breaker.probeInMs]).toEqual([undefined, 0, 0]);
  });
});
