import { until } from 'factline/testing';
import { type App, type Estate, estate } from './estate.js';
import { HrClient, inParallel } from './hr-client.js';
import { faultsOfAll, settled } from './paid-once.js';
import { people } from './people.js';
import { SteadyWriters } from './steady-writers.js';

const EMPLOYEES = 24;
const FIRST_SALARY = 1_000_000;
/** Answers before something happens to those who give them. */
const WRITES_BEFORE = 50;

/** hr and payroll at work on some employees, and everything that was written to hr, to judge in the end what came of it. */
export class PaidEstate {
  readonly ids: readonly string[];
  readonly #written: SteadyWriters[] = [];

  private constructor(
    readonly here: Estate,
    public hr: App,
    public payroll: App,
  ) {
    this.ids = people(EMPLOYEES, here.seed).map(({ id }) => id);
  }

  /** @param env where the stack's addresses are, when it is not the one all specs share. */
  static async open(env?: Readonly<Record<string, string>>): Promise<PaidEstate> {
    const here = await estate(env ? { env } : {});
    const opened = new PaidEstate(here, await here.start('hr'), await here.start('payroll'));
    const client = new HrClient(opened.hr.url);
    await inParallel(people(EMPLOYEES, here.seed), 8, (person) => client.hire(person));
    return opened;
  }

  /** Writers at work for as long as something happens. What all of them wrote must be right afterwards. */
  async underLoad<T>(work: (writers: SteadyWriters) => Promise<T>): Promise<T> {
    const writers = new SteadyWriters(this.hr.url, this.ids, FIRST_SALARY * (this.#written.length + 1));
    this.#written.push(writers);
    try {
      await this.moreWrites(writers);
      return await work(writers);
    } finally {
      await writers.stop();
    }
  }

  async moreWrites(writers: SteadyWriters, more: number = WRITES_BEFORE, withinMs?: number): Promise<void> {
    const before = writers.acknowledged;
    await until(`${more} writes`, () => writers.acknowledged > before + more, withinMs);
  }

  /** When everything is published and applied. @returns what is wrong, as `faultsOfAll`, and which app is gone. */
  async faults(): Promise<string[]> {
    await settled(this.here);
    const gone = [this.hr, this.payroll].filter(({ program }) => !program.running).map(({ program }) => `process ${program.pid} is gone: ${program.tail}`);
    return [...gone, ...(await faultsOfAll(this.here, this.ids, this.#written.flatMap(({ writes }) => writes)))];
  }

  /** Writes whose answer never came, or turned them away. */
  get unknown(): number {
    return this.#written.flatMap(({ writes }) => writes).filter(({ outcome }) => outcome === 'unknown').length;
  }

  close(): Promise<void> {
    return this.here.close();
  }
}
