import { Waits } from './waits.js';

let time = 0;
let waits: Waits;
beforeEach(() => {
  time = 0;
  waits = new Waits(() => time);
});

const wait = (ms: number) => {
  const ended = waits.begin();
  time += ms;
  ended();
};

it('is nothing when nobody waits', () => {
  wait(0);
  expect(waits.current()).toBe(0);
});

it('is near what most waited for, moves with it, and is forgotten in silence', () => {
  for (let index = 0; index < 50; index++) wait(40);
  expect(waits.current()).toBeGreaterThan(35);
  expect(waits.current()).toBeLessThanOrEqual(40);
  const before = waits.current();
  wait(0);
  expect(waits.current()).toBeLessThan(before);
  expect(waits.current()).toBeGreaterThan(before / 2);
  time += 2_500;
  expect(waits.current()).toBeLessThan(1);
});

it('is at least what the longest waiter has waited, before anybody got a connection', () => {
  waits.begin();
  time += 300;
  const second = waits.begin();
  time += 200;
  expect(waits.current()).toBe(500);
  second();
  expect(waits.current()).toBe(500);
});

it('is what the queue says as soon as it is there: so many, each for as long as connections are used, on so many connections', () => {
  const used = (ms: number) => {
    const given = waits.hold();
    time += ms;
    given();
  };
  for (let index = 0; index < 50; index++) used(20);
  expect(waits.current(0, 4)).toBe(0);
  expect(waits.current(80, 4)).toBeCloseTo(400, -1);
  time += 60_000;
  expect(waits.current(80, 4)).toBeCloseTo(400, -1); // how long the last ones were used does not change because nobody came
});
