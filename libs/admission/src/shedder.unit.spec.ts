import fc from 'fast-check';
import { simulationRuns } from 'factline/testing/simulation';
import { type Priority, type Reading, Shedder, type Verdict, priorities, readings } from './index.js';

const over = (pressure: number, spares: Priority = 'critical'): Reading[] => [{ name: 'database', pressure, spares }];

/** So many of each priority arrive in a window; answers how many of each were admitted. */
function window(shedder: { admit(priority: Priority): Verdict }, arrivals: Record<Priority, number>): Record<Priority, number> {
  const admitted = { critical: 0, normal: 0, sheddable: 0 };
  for (const priority of priorities) for (let index = 0; index < arrivals[priority]; index++) admitted[priority] += shedder.admit(priority).admitted ? 1 : 0;
  return admitted;
}

const even = { critical: 100, normal: 100, sheddable: 100 };

it('admits everything while no signal is above its limit', () => {
  const shedder = new Shedder();
  for (let index = 0; index < 20; index++) {
    expect(window(shedder, even)).toEqual(even);
    shedder.observe(over(0.99));
  }
  expect(shedder.level).toBe(3);
});

it('sheds the least important first, names the signal, and never sheds what is critical', () => {
  const shedder = new Shedder({ random: () => 0.5 });
  const levels: number[] = [];
  for (let index = 0; index < 30; index++) {
    const admitted = window(shedder, even);
    expect(admitted.critical).toBe(100);
    shedder.observe(over(1.5));
    levels.push(shedder.level);
  }
  expect(levels).toEqual(levels.toSorted((a, b) => b - a));
  expect(levels.at(-1)).toBe(1);
  const shed = shedder.admit('normal');
  expect(shed).toMatchObject({ admitted: false, because: 'database' });
  expect(shed.admitted || shed.retryAfterMs).toBe(3_000);
  expect(shedder.admit('critical').admitted).toBe(true);
});

it('sheds only what is sheddable for a lag, as a first start from offset zero has one', () => {
  const shedder = new Shedder();
  for (let index = 0; index < 30; index++) {
    window(shedder, even);
    shedder.observe(readings({ lagFacts: 10_000_000, connectionWaitMs: 1 }));
  }
  expect(shedder.level).toBe(2);
  expect(readings({ lagFacts: 10_000_000 }, { lagFacts: Infinity }).every(({ pressure }) => pressure === 0)).toBe(true);
});

it('holds what it admits between calm and the limit, and lets all in again when it is calm', () => {
  const shedder = new Shedder();
  for (let index = 0; index < 6; index++) {
    window(shedder, even);
    shedder.observe(over(2));
  }
  const { level } = shedder;
  expect(level).toBeLessThan(2);
  for (let index = 0; index < 10; index++) {
    window(shedder, even);
    shedder.observe(over(0.85));
  }
  expect(shedder.level).toBe(level);
  for (let index = 0; index < 100; index++) {
    window(shedder, even);
    shedder.observe(over(0.1));
  }
  expect(shedder.level).toBe(3);
});

it('does not take one bad window, or two, for an overload', () => {
  const shedder = new Shedder();
  for (let index = 0; index < 60; index++) {
    window(shedder, even);
    shedder.observe(over(index % 3 === 0 ? 0.5 : 100));
  }
  expect(shedder.level).toBe(3);
});

it('admits whoever finds next to nobody under way', () => {
  const shedder = new Shedder({ minConcurrency: 5 });
  for (let index = 0; index < 30; index++) {
    window(shedder, even);
    shedder.observe(over(10));
  }
  expect([4, 5].map((underWay) => shedder.admit('sheddable', underWay).admitted)).toEqual([true, false]);
});

it('turns away at once what would wait for far too long, the sheddable first and the critical never', () => {
  const shedder = new Shedder();
  const admitted = (pressure: number) => priorities.filter((priority) => shedder.admit(priority, Infinity, over(pressure)[0]).admitted);
  expect([2.4, 2.6, 4.9, 5, 1_000].map((pressure) => admitted(pressure).join())).toEqual(['critical,normal,sheddable', 'critical,normal', 'critical,normal', 'critical', 'critical']);
  expect(shedder.admit('normal', Infinity, over(5)[0])).toMatchObject({ because: 'database' });
  expect(shedder.admit('normal', 9, over(5)[0])).toEqual({ admitted: true }); // next to nobody is under way
  expect(admitted(0)).toHaveLength(3);
});

interface Served {
  admitted: Record<Priority, number>;
  done: number;
}

/** A server that does `capacity` requests a window, and in which the others wait; its signal is the wait for it, in windows. */
function serve(shedder: { admit(priority: Priority): Verdict; observe(readings: readonly Reading[]): void }, windows: readonly Record<Priority, number>[], capacity: number): Served[] {
  let queue = 0;
  return windows.map((arrivals) => {
    const admitted = window(shedder, arrivals);
    queue += admitted.critical + admitted.normal + admitted.sheddable;
    const done = Math.min(queue, capacity);
    queue -= done;
    shedder.observe(over(queue / capacity)); // one window of waiting is the limit
    return { admitted, done };
  });
}

const totalOf = ({ critical, normal, sheddable }: Record<Priority, number>) => critical + normal + sheddable;

/** The classic one: everything or only what is critical, by one threshold. */
class Switch {
  #open = true;

  admit(priority: Priority): Verdict {
    return this.#open || priority === 'critical' ? { admitted: true } : { admitted: false, retryAfterMs: 1, because: '' };
  }

  observe([reading]: readonly Reading[]): void {
    this.#open = reading!.pressure < 1;
  }
}

const overloaded = (capacity: number, times: number, criticalShare: number) => {
  const critical = Math.floor(capacity * criticalShare);
  const rest = Math.floor((capacity * times - critical) / 2);
  return Array.from({ length: 120 }, () => ({ critical, normal: rest, sheddable: rest }));
};
const settled = (served: readonly Served[]) => served.slice(60);
/** The largest and the smallest number admitted in a window, by capacity. */
const swing = (served: readonly Served[], capacity: number) => {
  const counts = served.map(({ admitted }) => totalOf(admitted) / capacity);
  return { most: Math.max(...counts), least: Math.min(...counts) };
};

describe('under 2 to 12 times the load that a server can bear', () => {
  it('it admits what the server can bear, does not flap, and lets all that is critical pass', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 100 }), fc.double({ min: 2, max: 12, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }), fc.integer(), (capacity, times, criticalShare, seed) => {
        const windows = overloaded(capacity, times, criticalShare);
        const served = serve(new Shedder({ random: randomFrom(seed) }), windows, capacity);
        for (const [index, { admitted }] of served.entries()) expect(admitted.critical).toBe(windows[index]!.critical);
        const later = settled(served);
        expect(later.reduce((sum, { done }) => sum + done, 0) / (later.length * capacity)).toBeGreaterThan(0.8);
        expect(swing(later, capacity).most).toBeLessThan(2);
      }),
      simulationRuns(12),
    );
  });

  it('control: a switch with one threshold floods the server and starves it in turn', () => {
    const served = settled(serve(new Switch(), overloaded(100, 10, 0.1), 100));
    expect(swing(served, 100)).toEqual({ most: 10, least: 0.1 });
  });
});

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
