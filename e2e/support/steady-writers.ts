import { pause } from 'factline/kernel';
import { ask } from './rest.js';

/** One change of one employee: a salary that no other write has. */
export interface Write {
  id: string;
  salaryCents: number;
  /** unknown: the answer never came, so it may have happened or not. */
  outcome: 'acknowledged' | 'unknown';
}

const CALLERS = 8;
/** Time between two writes of a caller: about 250 writes a second in all, which leaves the apps room to start again on two cores. */
const PACE = 20;
/** Time before a caller whose hr is gone tries again. */
const RETRY_PACE = 50;
const GIVE_UP_AFTER_ATTEMPTS = 600;
const FIRST_SALARY = 1_000_000;

/**
 * Callers of hr that go on while it is killed. Each owns some employees and changes them one after another. Every other write carries an idempotency key and is
 * repeated until it is answered, so it must have happened exactly once; the others are sent once, and without an answer nobody knows.
 */
export class SteadyWriters {
  readonly writes: Write[] = [];
  #acknowledged = 0;
  #salary: number;
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(
    private readonly url: string,
    ids: readonly string[],
    /** Of its first write; no two writes of a spec may have the same. */
    firstSalary: number = FIRST_SALARY,
  ) {
    this.#salary = firstSalary;
    this.#loops = Array.from({ length: CALLERS }, (_, caller) => this.#call(ids.filter((_id, i) => i % CALLERS === caller)));
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** After the writes under way have been answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #call(ids: readonly string[]): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const write: Write = { id: ids[turn % ids.length]!, salaryCents: this.#salary++, outcome: 'unknown' };
      this.writes.push(write);
      await (turn % 2 === 0 ? this.#until(write) : this.#once(write));
      if (write.outcome === 'acknowledged') this.#acknowledged++;
      await pause(write.outcome === 'acknowledged' ? PACE : RETRY_PACE);
    }
  }

  async #once(write: Write, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const { id, salaryCents } = write;
    const answer = await ask(`${this.url}/employees/${id}/moves`, 'POST', { location: 'BER', salaryCents }, headers).catch(() => undefined);
    if (answer?.status === 200) write.outcome = 'acknowledged';
    else if (answer && answer.status !== 503 && answer.status !== 409) throw new Error(`hr answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  async #until(write: Write): Promise<void> {
    const headers = { 'idempotency-key': `${write.id}-${write.salaryCents}` };
    for (let attempt = 0; attempt < GIVE_UP_AFTER_ATTEMPTS; attempt++) {
      await this.#once(write, headers);
      if (write.outcome === 'acknowledged') return;
      await pause(RETRY_PACE);
    }
    throw new Error(`hr did not answer ${GIVE_UP_AFTER_ATTEMPTS} attempts`);
  }
}
