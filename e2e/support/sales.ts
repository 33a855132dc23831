import type { FactOwner, World } from 'factline/testing';
import { unexpected } from './hr-client.js';

export interface SoldDay {
  day: string;
  currency: string;
  orders: number;
  units: number;
  amountCents: number;
}

interface Order {
  id: string;
  day: string;
  lines: { productId: string; quantity: number; unitPriceCents: number }[];
}

const DAYS = ['03-01', '03-02', '03-03'];

/** Orders of one spec, on days of a year in which no other spec sells, and what their sums must be; reckoned from what was stated, beside the system. */
export class Sales {
  readonly #orders: Order[] = [];
  readonly #cancelled = new Set<string>();
  readonly #year: number;

  constructor(
    private readonly owner: FactOwner,
    private readonly world: Pick<World, 'name'>,
    seed: number,
  ) {
    this.#year = 1900 + (seed % 80);
  }

  get period(): string {
    return `from=${this.#year}-03-01&to=${this.#year}-03-03`;
  }

  /** So many orders are paid, of up to three products each, over three days. @returns the token of the last */
  async pay(count: number): Promise<string> {
    const more = Array.from({ length: count }, (_, i): Order => {
      const number = this.#orders.length + i;
      const lines = Array.from({ length: 1 + (number % 3) }, (_, line) => ({ productId: `${this.world.name}-p${(number + line) % 7}`, quantity: 1 + (number % 4), unitPriceCents: 100 + 10 * line + number }));
      return { id: `${this.world.name}-o${number}`, day: `${this.#year}-${DAYS[number % DAYS.length]}`, lines };
    });
    this.#orders.push(...more);
    const stated = await this.owner.stateAll(more.map(({ id, day, lines }) => ['orders.OrderPaid', id, { customerId: 'c-1', lines, currency: 'EUR', totalCents: 0, paidAt: Date.parse(`${day}T10:00:00Z`) * 1_000, cardCountry: 'DE' }]));
    return stated.at(-1)!.token;
  }

  /** Each n-th of the paid orders that are left is taken back. @returns the token of the last */
  async cancelEach(nth: number): Promise<string> {
    const chosen = this.#orders.filter(({ id }) => !this.#cancelled.has(id)).filter((_, i) => i % nth === 0);
    for (const { id } of chosen) this.#cancelled.add(id);
    const stated = await this.owner.stateAll(chosen.map(({ id }) => ['orders.OrderCancelled', id, { reason: 'CHANGED_MIND' }]));
    return stated.at(-1)!.token;
  }

  gross(): SoldDay[] {
    return this.#sums(this.#orders);
  }

  net(): SoldDay[] {
    return this.#sums(this.#orders.filter(({ id }) => !this.#cancelled.has(id)));
  }

  #sums(orders: readonly Order[]): SoldDay[] {
    return DAYS.map((text) => `${this.#year}-${text}`).map((day) => {
      const lines = orders.filter((order) => order.day === day).flatMap((order) => order.lines);
      const sum = (of: (line: Order['lines'][number]) => number) => lines.reduce((total, line) => total + of(line), 0);
      return { day, currency: 'EUR', orders: orders.filter((order) => order.day === day).length, units: sum(({ quantity }) => quantity), amountCents: sum(({ quantity, unitPriceCents }) => quantity * unitPriceCents) };
    });
  }
}

/** What reporting answers; with a token it contains that write. */
export async function readSales(url: string, period: string, token?: string): Promise<SoldDay[]> {
  const answer = await fetch(`${url}/sales?${period}`, { headers: { connection: 'close', ...(token !== undefined && { 'factline-token': token, prefer: 'wait=10' }) } });
  if (!answer.ok) throw unexpected(`GET /sales?${period}`, answer.status, await answer.text());
  return ((await answer.json()) as { items: SoldDay[] }).items;
}

/** Callers who ask for the same report all the time, and keep what they were answered. */
export class SalesReaders {
  /** Each different answer, as text. */
  readonly answers = new Set<string>();
  reads = 0;
  failed = 0;
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(url: string, period: string, callers = 2) {
    this.#loops = Array.from({ length: callers }, async () => {
      while (!this.#stopped) {
        this.reads++;
        await readSales(url, period).then(
          (rows) => this.answers.add(JSON.stringify(rows)),
          () => this.failed++,
        );
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }
}
