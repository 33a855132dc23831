import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, FactlineError, type Logger, detached, messageOf, silentLogger, systemClock } from 'factline/kernel';
import type { Executor } from 'factline/store';
import { Account, type Taken } from './account.js';
import { BUCKET_KEYS, KEY_CHARACTERS, LEASE_MS, LEASE_SHARE, SWEEP_INTERVAL_MS, SWEEP_ROWS, TAKE_TIMEOUT_MS, UNAVAILABLE_PAUSE_MS } from './limits.js';
import { MemoryBucket } from './memory-bucket.js';
import { type Allowance, type Rate, allowance } from './rate.js';
import { GIVE_BACK, SWEEP, TAKE } from './schema.js';

export interface TokenBucketOptions {
  /** The database whose processes share the rate; `migrateAdmission` has made its table. */
  store: Executor;
  /** Kept as long as the rate means the same: buckets of one name and key are one bucket, in every process. */
  name: string;
  rate: Rate;
  /** What may be taken at once after a silence. Default: the rate's count. */
  burst?: number;
  /**
   * What a take answers while the database does not. `open` (default): each process grants the rate by itself, because what guards a service must not be what takes
   * it down, and the work itself will say that the database is away. `closed`: nothing is granted, for what must never be too much, such as a provider's paid quota.
   */
  whenUnavailable?: 'open' | 'closed';
  log?: Logger;
  clock?: Clock;
}

interface Waiting {
  tokens: number;
  answer(taken: Taken): void;
  fail(error: unknown): void;
}

interface Client {
  account: Account;
  waiting: Waiting[];
  asking: boolean;
  alone?: MemoryBucket;
}

/**
 * A rate per key that any number of processes keep together: the token bucket (J. Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986;
 * RFC 3290, appendix A), with its state in Postgres and the time of the database's clock.
 *
 * Promised: from the first take on, all processes together grant at most rate * time + burst of a key. In any later stretch of time it is at most that and what
 * was held unused when it began: `LEASE_SHARE` of the burst, 5 %, for each process. Concurrent takes of a key in a process share one statement; a key that is used often is
 * taken ahead (a lease), and one that is known to be empty is refused from memory: neither costs a statement each time. What is held for a second is given back.
 * Not promised: fairness between processes, or the last 5 % of a burst while another process holds them. A process that is killed loses what it held.
 * A crash or failover of the database's server fills all buckets (its table is unlogged); without the database `whenUnavailable` decides, and `open` means the rate per process.
 * Limits: `BUCKET_KEYS` remembered in memory, rows of full buckets are removed once a minute, an answer is waited for `TAKE_TIMEOUT_MS`.
 * Errors: `admission.rate`, `admission.cost` (configuration), `admission.closed`; the store's, when they are not about its availability.
 */
export class TokenBucket {
  readonly name: string;
  /** Tokens a millisecond, and at once. */
  readonly allowance: Allowance;
  readonly #options: TokenBucketOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #clients: LRUCache<string, Client>;
  readonly #back = new Map<string, number>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #inBackground: (run: () => void) => void;
  #unavailableUntil = -Infinity;
  #sweptAt: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.name = options.name;
    this.allowance = allowance(options.rate, options.burst);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#sweptAt = this.#clock.monotonic();
    this.#clients = new LRUCache({ max: BUCKET_KEYS, dispose: (client, key) => this.#giveBackLater(key, client) });
    this.#inBackground = detached((run: () => void) => run());
  }

  /**
   * Takes `tokens` of the key's bucket, all or none.
   * @throws FactlineError `admission.cost` (configuration) for more tokens than the burst, which would never be granted.
   */
  async take(key: string, tokens = 1): Promise<Taken> {
    if (!(tokens > 0 && tokens <= this.allowance.burst)) throw tooDear(this.name, tokens, this.allowance.burst);
    if (this.#closed) throw closed(this.name);
    const row = rowKey(key);
    const now = this.#clock.monotonic();
    const client = this.#clients.get(row) ?? { account: new Account(this.allowance, now), waiting: [], asking: false };
    this.#clients.set(row, client);
    if (client.asking) return this.#wait(client, tokens);
    const known = now < this.#unavailableUntil ? this.#alone(client, tokens, now) : client.account.decide(tokens, now);
    if (known) return known;
    const answer = this.#wait(client, tokens);
    client.asking = true;
    this.#inBackground(() => {
      this.#keepHouseFromNowOn();
      this.#track(this.#answerAll(row, client));
    });
    return answer;
  }

  /** Answers those who wait, gives back what is held, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#clients.clear();
    await this.#giveBack();
  }

  #wait(client: Client, tokens: number): Promise<Taken> {
    return new Promise((answer, fail) => client.waiting.push({ tokens, answer, fail }));
  }

  /** First come, first served; each round answers the first at least, so it ends. */
  async #answerAll(key: string, client: Client): Promise<void> {
    await Promise.resolve(); // what is taken in the same turn shares the statement
    while (client.waiting.length > 0) {
      const first = client.waiting[0]!;
      try {
        const taken = this.#fromMemory(client, first.tokens) ?? (await this.#fromDatabase(key, client, first.tokens));
        first.answer(taken);
      } catch (error) {
        first.fail(error);
      }
      client.waiting.shift();
    }
    this.#giveBackOf(key, client.account.giveUp(this.allowance.burst * LEASE_SHARE)); // of a take that got a part only
    client.asking = false;
  }

  #fromMemory(client: Client, tokens: number): Taken | undefined {
    const now = this.#clock.monotonic();
    return now < this.#unavailableUntil ? this.#alone(client, tokens, now) : client.account.decide(tokens, now);
  }

  async #fromDatabase(key: string, client: Client, tokens: number): Promise<Taken> {
    const asked = this.#clock.monotonic();
    const { account } = client;
    const wanted = client.waiting.reduce((sum, waiting) => sum + waiting.tokens, account.ahead(asked));
    const most = Math.max(tokens, Math.min(wanted, this.allowance.burst));
    const answer = await this.#inTime(this.#statement(key, account.giveUp(), tokens, most), (late) => this.#giveBackOf(key, late.taken));
    const now = this.#clock.monotonic();
    if (!answer) return this.#alone(client, tokens, now);
    account.receive(answer.taken, answer.tokens, asked, now);
    return account.decide(tokens, now) ?? account.refuse(tokens, now);
  }

  async #statement(key: string, back: number, least: number, most: number): Promise<{ taken: number; tokens: number }> {
    const { burst, perMs } = this.allowance;
    const values = [this.name, key, back, least, most, burst, perMs * 1_000];
    const { rows } = await this.#options.store.query<{ taken: number; tokens: number }>(TAKE.text, values, TAKE.name);
    return rows[0]!;
  }

  /** The answer, or nothing if the database is away or too slow; what arrives later is given back. */
  async #inTime<T>(answer: Promise<T>, late: (answer: T) => void): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    let inTime = true;
    const patience = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), TAKE_TIMEOUT_MS)));
    const guarded = answer.then(
      (value) => {
        if (!inTime) late(value);
        return value;
      },
      (error: unknown) => {
        if (!(error instanceof FactlineError && error.kind === 'unavailable') && inTime) throw error;
        return undefined;
      },
    );
    this.#track(guarded);
    try {
      const value = await Promise.race([guarded, patience]);
      inTime = false;
      if (value === undefined) this.#becameUnavailable();
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  #becameUnavailable(): void {
    this.#unavailableUntil = this.#clock.monotonic() + UNAVAILABLE_PAUSE_MS;
    this.#log.warn({ bucket: this.name, whenUnavailable: this.#options.whenUnavailable ?? 'open' }, 'the database did not answer a token bucket in time');
  }

  #alone(client: Client, tokens: number, now: number): Taken {
    if (this.#options.whenUnavailable === 'closed') {
      return { granted: false, remaining: 0, fullAfterMs: Math.ceil(this.allowance.burst / this.allowance.perMs), retryAfterMs: UNAVAILABLE_PAUSE_MS };
    }
    client.alone ??= new MemoryBucket(this.allowance, now);
    return client.alone.take(tokens, now);
  }

  #giveBackLater(key: string, { account }: Client): void {
    this.#giveBackOf(key, account.giveUp());
  }

  #giveBackOf(key: string, tokens: number): void {
    if (tokens > 0) this.#back.set(key, (this.#back.get(key) ?? 0) + tokens);
  }

  #keepHouseFromNowOn(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => this.#track(this.#keepHouse()), LEASE_MS).unref();
  }

  async #keepHouse(): Promise<void> {
    const now = this.#clock.monotonic();
    for (const [key, client] of this.#clients.entries()) {
      if (client.account.expired(now)) this.#giveBackLater(key, client);
    }
    await this.#giveBack();
    if (now - this.#sweptAt >= SWEEP_INTERVAL_MS) await this.#sweep(now);
    this.#timer = undefined;
    this.#keepHouseFromNowOn();
  }

  /** Once, whatever comes of it: to repeat one whose outcome is unknown would hand the tokens out twice. */
  async #giveBack(): Promise<void> {
    const back = [...this.#back];
    this.#back.clear();
    if (back.length === 0) return;
    const values = [this.name, back.map(([key]) => key), back.map(([, tokens]) => tokens), this.allowance.burst];
    await this.#inHouse('tokens could not be given back', this.#options.store.query(GIVE_BACK.text, values, GIVE_BACK.name));
  }

  async #sweep(now: number): Promise<void> {
    this.#sweptAt = now;
    const fullAfter = this.allowance.burst / this.allowance.perMs / 1_000;
    await this.#inHouse('rows of full token buckets could not be removed', this.#options.store.query(SWEEP, [this.name, fullAfter, SWEEP_ROWS]));
  }

  async #inHouse(failure: string, statement: Promise<unknown>): Promise<void> {
    await statement.catch((error: unknown) => this.#log.warn({ bucket: this.name, error: messageOf(error) }, failure));
  }

  /** `close` waits for what is under way, whatever comes of it. */
  #track(work: Promise<unknown>): void {
    const settled = Promise.allSettled([work]).then(() => void this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }
}

/** What Postgres does not take as text, or takes for something else (NUL, half a surrogate pair), and what is too long, is known by its hash. */
function rowKey(key: string): string {
  if (key.length <= KEY_CHARACTERS && key.isWellFormed() && !key.includes('\0') && !key.startsWith('sha256:')) return key;
  return `sha256:${createHash('sha256').update(key, 'utf16le').digest('hex')}`;
}

function tooDear(name: string, tokens: number, burst: number): FactlineError {
  return new FactlineError({
    code: 'admission.cost',
    kind: 'configuration',
    message: `${tokens} tokens are asked of the bucket '${name}', which never has more than ${burst}.`,
    advice: 'Take more than 0 and no more than the burst at a time, or give the bucket a larger burst.',
  });
}

function closed(name: string): FactlineError {
  return new FactlineError({ code: 'admission.closed', kind: 'unavailable', message: `The token bucket '${name}' is closed.`, advice: 'The process is stopping; another one takes the request.' });
}
