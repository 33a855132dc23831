import type { Clock } from 'factline/kernel';
import { type Executor, type Result } from 'factline/store';

interface Row {
  tokens: number;
  at: number;
}

/** Time that moves when a spec says so. */
export class HandClock implements Clock {
  time = 1_000_000;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }
}

/** The table of token buckets, as schema.ts describes it, in memory and on a spec's clock; the integration specs show that Postgres does the same. */
export class SimulatedBuckets implements Executor {
  readonly rows = new Map<string, Row>();
  readonly takes: { key: string; least: number; most: number }[] = [];
  /** Thrown instead of an answer. */
  fault: Error | undefined;
  /** What an answer waits for: when the statement has been done already. */
  answerAfter: Promise<void> | undefined;

  constructor(private readonly clock: HandClock) {}

  async query<T>(text: string, values: readonly unknown[] = []): Promise<Result<T>> {
    if (this.fault) throw this.fault;
    const rows = text.startsWith('insert') ? [this.#take(values)] : text.startsWith('update') ? this.#giveBack(values) : [];
    await this.answerAfter;
    return { rows: rows as T[], rowCount: rows.length };
  }

  #take([bucket, key, back, least, most, burst, perSecond]: readonly unknown[]): { taken: number; tokens: number } {
    const numbers = { back: Number(back), least: Number(least), most: Number(most), burst: Number(burst), perSecond: Number(perSecond) };
    this.takes.push({ key: String(key), least: numbers.least, most: numbers.most });
    const name = `${String(bucket)}/${String(key)}`;
    const row = this.rows.get(name);
    const available = row ? Math.min(numbers.burst, row.tokens + numbers.back + ((this.clock.time - row.at) / 1_000) * numbers.perSecond) : numbers.burst;
    const taken = available < numbers.least ? 0 : Math.min(numbers.most, available);
    this.rows.set(name, { tokens: available - taken, at: this.clock.time });
    return { taken, tokens: available - taken };
  }

  #giveBack([bucket, keys, tokens, burst]: readonly unknown[]): object[] {
    for (const [index, key] of (keys as string[]).entries()) {
      const row = this.rows.get(`${String(bucket)}/${key}`);
      if (row) row.tokens = Math.min(Number(burst), row.tokens + (tokens as number[])[index]!);
    }
    return [];
  }
}
