import { FactlineError } from 'factline/kernel';
import { SIMULATION_DELAY_MS, SIMULATION_START_MS, SIMULATION_STEPS_MAX } from '../limits.js';
import { SimulatedTime } from './simulated-time.js';

/** Decides which of the things under way happens next: `fc.scheduler()` of fast-check is one. */
export interface Turns {
  schedule<T>(task: Promise<T>, label?: string): Promise<T>;
  count(): number;
  waitOne(): Promise<void>;
}

/** How often time goes on although something is under way: a request may take longer than a pause. */
const TIME_GOES_ON = 0.15;

/**
 * One deterministic run of code that waits for a database, a broker and timers, in one process and without any of them.
 *
 * Everything that crosses a simulated network is two turns of the schedule, the request and its answer, so that everything else can happen in between. Time stands
 * still unless the schedule lets it go on. The same schedule and seed give the same run. Ends: nothing is left behind when `play` has ended, also not of what hangs.
 */
export class Simulation {
  readonly time: SimulatedTime;
  steps = 0;
  #faults = true;
  #failure: { error: unknown } | undefined;
  readonly #watchers: (() => void)[] = [];

  constructor(
    private readonly turns: Turns,
    seed: number,
  ) {
    this.time = new SimulatedTime(seed, SIMULATION_START_MS);
  }

  get faults(): boolean {
    return this.#faults;
  }

  /** From here on nothing fails any more: what was promised must now come true. */
  heal(): void {
    this.#faults = false;
  }

  /** True with this probability, as long as there are faults. */
  strikes(probability: number): boolean {
    return this.time.random() < probability && this.#faults;
  }

  /** One of these, by the seed. */
  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.time.random() * choices.length)]!;
  }

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this);
  }

  /** A turn of the schedule. */
  turn(label: string): Promise<void> {
    return this.turns.schedule(Promise.resolve(), label);
  }

  /** Has it happen some turn later; nobody waits for it. What it throws ends the run. */
  later(label: string, run: () => void): void {
    this.turn(label)
      .then(run)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
  }

  /** Runs `scenario` in simulated time, step by step until it ends. @throws what it throws, and FactlineError `testing.simulation-stuck`. */
  async play<T>(scenario: () => Promise<T>): Promise<T> {
    this.time.install();
    try {
      const result = scenario();
      let over = false;
      const ended = () => void (over = true);
      result.then(ended, ended);
      for (await settled(); !over; await settled()) await this.#step();
      return await result;
    } finally {
      this.time.restore();
    }
  }

  /** Waits until the condition holds; looked at after each step. @returns false when it did not within so many steps. */
  async within(steps: number, holds: () => boolean): Promise<boolean> {
    const last = this.steps + steps;
    while (!holds()) {
      if (this.steps >= last) return false;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
    return true;
  }

  async #step(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    if (++this.steps > SIMULATION_STEPS_MAX) throw stuck(`it has taken ${SIMULATION_STEPS_MAX} steps.`);
    const waiting = this.turns.count() > 0;
    const passes = !waiting || this.time.random() < TIME_GOES_ON;
    const passed = passes && this.time.advance(waiting ? SIMULATION_DELAY_MS : Infinity);
    if (!passed && waiting) await this.turns.waitOne();
    if (!passed && !waiting) throw stuck('nothing is under way and no timer is set.');
    for (const look of this.#watchers.splice(0)) look();
  }
}

/** One process of the simulated world: what it asks of others stops with it. */
export class SimulatedProcess {
  #alive = true;
  readonly #notices: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly simulation: Simulation,
  ) {}

  get alive(): boolean {
    return this.#alive;
  }

  /** As with kill -9: it gets no answer any more and asks nothing more. What it had sent arrives, or not. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const notice of this.#notices) this.simulation.later(`the end of ${this.name} is noticed`, notice);
  }

  /** For what others do when they notice that this process is gone, which is some time after. */
  onDeath(notice: () => void): void {
    this.#notices.push(notice);
  }

  /** One request to another process and its answer. `effect` happens at one moment between the two, unless the request is lost with this process. */
  async request<T>(label: string, effect: () => T | Promise<T>): Promise<T> {
    if (!this.#alive) return never();
    await this.simulation.turn(`${this.name}: ${label}`);
    if (!this.#alive && this.simulation.pick([true, false])) return never();
    const outcome = await Promise.resolve()
      .then(effect)
      .then((value) => ({ value }), (error: unknown) => ({ error }));
    await this.simulation.turn(`${this.name}: answer to ${label}`);
    if (!this.#alive) return never();
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}

/** The rest of a dead process. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function stuck(why: string): FactlineError {
  return new FactlineError({ code: 'testing.simulation-stuck', kind: 'internal', message: `The simulation does not go on: ${why}`, advice: 'Something waits for what will never come: look at the last turns in the report of the schedule.' });
}
