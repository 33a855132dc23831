import { pause } from 'factline/kernel';
import { randomFrom } from '../support/random.js';
import { type RestAnswer, ask } from '../support/rest.js';
import type { Completed, HistoryFile, Invoked } from './history.js';

export interface WorkloadOptions {
  seed: number;
  history: HistoryFile;
  /** Each app's processes. */
  hr: readonly string[];
  payroll: readonly string[];
}

const WRITERS = 6;
const READERS = 3;
const STAFF_OF_WRITER = 4;
/** Between two requests of a client: about 150 writes a second in all, which leaves apps, broker and database room on two cores. */
const PACE = 40;
/** Before a client whose request was not done asks again. */
const RETRY_PACE = 150;
/** A client that waits no longer does not know what became of its request. */
const REQUEST_TIMEOUT = 4_000;
const HIRE_EVERY = 25;
/** Of requests with an idempotency key, every third is sent to both processes at once. */
const TWIN_EVERY = 3;
const FIRST_SALARY = 1_000_000;

/**
 * Codes of 503 that say that the transaction did not happen. Of a commit whose answer was lost the apps say `store.outcome-unknown`; every other answer of 500 and more
 * is taken for unknown too.
 */
const NOT_DONE: ReadonlySet<string> = new Set(['outbox.full', 'store.unavailable', 'store.contended', 'store.locked', 'store.cancelled']);

type Write = Invoked & { value: number };

/** Clients of hr that write values which no other write has, one after another per employee, and clients of payroll that read them. Everything goes into the history. */
export class Workload {
  readonly staff: string[] = [];
  /** The last write of each employee that was answered as done, with the token that a reader may wait for. */
  readonly #done = new Map<string, { op: number; token: string }>();
  #op = 0;
  #salary = FIRST_SALARY;
  #stopped = false;
  #loops: Promise<void>[] = [];

  constructor(private readonly options: WorkloadOptions) {}

  /** Hires the first employees, so that everything exists before the first fault. */
  async begin(): Promise<void> {
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => this.#hireFirst(writer)));
    this.#loops = [
      ...Array.from({ length: WRITERS }, (_, writer) => this.#write(writer)),
      ...Array.from({ length: READERS }, (_, reader) => this.#read(reader)),
    ];
  }

  /** After the requests under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #hireFirst(writer: number): Promise<void> {
    for (let i = 0; i < STAFF_OF_WRITER; i++) await this.#hire(writer, i, () => 0);
  }

  async #hire(writer: number, number: number, random: (limit: number) => number): Promise<void> {
    const key = `e-${this.options.seed}-${writer}-${number}`;
    await this.#until(this.#invoke(`writer-${writer}`, 'hire', key, true), random);
    this.staff.push(key);
  }

  async #write(writer: number): Promise<void> {
    const random = randomFrom(this.options.seed + writer + 1);
    const prefix = `e-${this.options.seed}-${writer}-`;
    let hired = STAFF_OF_WRITER;
    for (let turn = 1; !this.#stopped; turn++) {
      if (turn % HIRE_EVERY === 0) {
        await this.#hire(writer, hired++, random);
        continue;
      }
      const own = this.staff.filter((key) => key.startsWith(prefix));
      const write = this.#invoke(`writer-${writer}`, 'move', own[random(own.length)]!, random(2) === 0);
      const done = write.idempotencyKey === undefined ? await this.#once(write, random) : await this.#until(write, random);
      await pause(done ? PACE : RETRY_PACE);
    }
  }

  #invoke(client: string, action: 'hire' | 'move', key: string, repeatable: boolean): Write {
    const op = ++this.#op;
    const write: Write = { type: 'invoke', at: Date.now(), op, client, action, key, value: this.#salary++, ...(repeatable && { idempotencyKey: `op-${this.options.seed}-${op}` }) };
    this.options.history.write(write);
    return write;
  }

  async #once(write: Write, random: (limit: number) => number): Promise<boolean> {
    const answer = await this.#send(write, random(2));
    const outcome = outcomeOf(answer);
    this.#complete(write, outcome === 'again' ? 'fail' : outcome, answer, []);
    return answer?.status === 200;
  }

  /** Until it is answered: it must have happened exactly once, whichever process got it how often. */
  async #until(write: Write, random: (limit: number) => number): Promise<boolean> {
    const twin = random(TWIN_EVERY) === 0;
    let unknown = false;
    for (let attempt = random(2); ; attempt++) {
      const answers = await Promise.all(twin ? [this.#send(write, 0), this.#send(write, 1)] : [this.#send(write, attempt)]);
      const outcomes = answers.map(outcomeOf);
      const done = answers[outcomes.indexOf('ok')];
      unknown ||= outcomes.includes('unknown');
      if (done || this.#stopped || outcomes.includes('fail')) {
        const outcome = done ? 'ok' : unknown ? 'unknown' : 'fail';
        this.#complete(write, outcome, done ?? answers[0], answers.filter((_, i) => outcomes[i] === 'ok'));
        return outcome === 'ok';
      }
      await pause(RETRY_PACE);
    }
  }

  /** undefined: no answer. */
  #send({ action, key, value, idempotencyKey }: Write, to: number): Promise<RestAnswer | undefined> {
    const { hr } = this.options;
    const headers: Record<string, string> = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    const person = { id: key, name: `Person ${key}`, email: `${key}@example.org`, birthDate: '1990-04-01', salaryCents: value, currency: 'EUR', location: 'BER', jobTitle: 'Engineer', startedOn: '2026-01-01' };
    const path = action === 'hire' ? '/employees' : `/employees/${key}/moves`;
    return ask(`${hr[to % hr.length]}${path}`, 'POST', action === 'hire' ? person : { location: 'BER', salaryCents: value }, headers, REQUEST_TIMEOUT).catch(() => undefined);
  }

  #complete({ op, key }: Write, outcome: Completed['outcome'], answer: RestAnswer | undefined, answers: readonly (RestAnswer | undefined)[]): void {
    const told = answer && { status: answer.status, ...(typeof answer.body['code'] === 'string' && { code: answer.body['code'] }) };
    this.options.history.write({ type: 'complete', at: Date.now(), op, outcome, ...told, ...(answers.length > 0 && { answers: answers.map((each) => JSON.stringify(each?.body)) }) });
    const token = answer?.headers.get('factline-token');
    if (outcome === 'ok' && token) this.#done.set(key, { op, token });
  }

  async #read(reader: number): Promise<void> {
    const { seed, history, payroll } = this.options;
    const random = randomFrom(seed + WRITERS + reader + 1);
    while (!this.#stopped) {
      const key = this.staff[random(this.staff.length)]!;
      const own = random(2) === 0 ? this.#done.get(key) : undefined;
      const op = ++this.#op;
      history.write({ type: 'invoke', at: Date.now(), op, client: `reader-${reader}`, action: 'read', key, ...(own && { after: own.op }) });
      const answer = await ask(`${payroll[random(payroll.length)]}/payees/${key}`, 'GET', undefined, own ? { 'factline-token': own.token, prefer: 'wait=1' } : {}, REQUEST_TIMEOUT).catch(() => undefined);
      history.write({ type: 'complete', at: Date.now(), op, ...readOf(answer) });
      await pause(PACE);
    }
  }
}

function readOf(answer: RestAnswer | undefined): Pick<Completed, 'outcome' | 'status' | 'value' | 'asOf'> {
  if (!answer) return { outcome: 'unknown' };
  const { status, body, headers } = answer;
  if (status !== 200 && status !== 404) return { outcome: 'fail', status };
  const asOf = Date.parse(headers.get('factline-as-of') ?? '');
  return { outcome: 'ok', status, value: status === 404 ? null : (body['salaryCents'] as number), ...(!Number.isNaN(asOf) && { asOf }) };
}

/** `again`: it says to come back, so it is neither done nor refused. */
function outcomeOf(answer: RestAnswer | undefined): 'ok' | 'fail' | 'unknown' | 'again' {
  if (!answer) return 'unknown';
  const { status, body } = answer;
  if (status < 300) return 'ok';
  if (body['code'] === 'idempotency.in-progress') return 'again';
  if (status < 500) return 'fail';
  return status === 503 && NOT_DONE.has(String(body['code'])) ? 'again' : 'unknown';
}
