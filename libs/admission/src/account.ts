import { LEASE_AHEAD_MS, LEASE_MS, LEASE_SHARE } from './limits.js';
import type { Allowance } from './rate.js';

export interface Granted {
  granted: true;
  /** Tokens that are left, as far as this process knows: other processes may have taken some since. */
  remaining: number;
  /** Until the bucket is full again if nobody takes any. */
  fullAfterMs: number;
}

export interface Limited {
  granted: false;
  remaining: number;
  fullAfterMs: number;
  /** When it is worth another attempt, if nobody else takes the tokens: at least 1. */
  retryAfterMs: number;
}

export type Taken = Granted | Limited;

/**
 * What one process knows of one key: the tokens it holds, and what the database said it has. Pure: time is an argument, in monotonic milliseconds.
 * A balance said at a time is an upper bound later on, but for what other processes give back: so to refuse from here is never too early by more than that.
 */
export class Account {
  #held = 0;
  #heldUntil = 0;
  #balance: number;
  #balanceAt = 0;
  #used = 0;
  #usedSince: number;

  constructor(
    private readonly allowance: Allowance,
    now: number,
  ) {
    this.#balance = allowance.burst;
    this.#usedSince = now;
  }

  /** Held and not yet given back, in time or not. */
  get held(): number {
    return this.#held;
  }

  expired(now: number): boolean {
    return this.#held > 0 && now >= this.#heldUntil;
  }

  /** An answer that needs no database: from what is held, or a refusal because there cannot be enough. */
  decide(tokens: number, now: number): Taken | undefined {
    if (this.#held >= tokens && now < this.#heldUntil) return this.#grant(tokens, now);
    return this.#available(now) < tokens ? this.refuse(tokens, now) : undefined;
  }

  refuse(tokens: number, now: number): Limited {
    const missing = tokens - this.#available(now);
    return { granted: false, ...this.#left(now), retryAfterMs: Math.max(1, Math.ceil(missing / this.allowance.perMs)) };
  }

  /** Tokens to ask for beyond those that are wanted now: what the key uses in a moment, as it was used since it was last asked for. */
  ahead(now: number): number {
    const inSoMuchTime = (this.#used / Math.max(1, now - this.#usedSince)) * LEASE_AHEAD_MS;
    return Math.floor(Math.min(inSoMuchTime, this.allowance.burst * LEASE_SHARE));
  }

  /** Empties the hand, but for `keep` tokens: the caller gives back what this answers, once or never. */
  giveUp(keep = 0): number {
    const given = Math.max(0, this.#held - keep);
    this.#held -= given;
    return given;
  }

  /** What the database gave and has left, by a statement sent at `asked`. */
  receive(taken: number, balance: number, asked: number, now: number): void {
    this.#held += taken;
    this.#heldUntil = now + LEASE_MS;
    this.#balance = balance;
    this.#balanceAt = asked;
    this.#used = 0;
    this.#usedSince = asked;
  }

  #grant(tokens: number, now: number): Granted {
    this.#held -= tokens;
    this.#used += tokens;
    return { granted: true, ...this.#left(now) };
  }

  #available(now: number): number {
    const there = Math.min(this.allowance.burst, this.#balance + (now - this.#balanceAt) * this.allowance.perMs);
    return Math.min(this.allowance.burst, there + this.#held);
  }

  #left(now: number): { remaining: number; fullAfterMs: number } {
    const available = Math.max(0, this.#available(now));
    return { remaining: Math.floor(available), fullAfterMs: Math.ceil((this.allowance.burst - available) / this.allowance.perMs) };
  }
}
