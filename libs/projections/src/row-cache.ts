import type { KeyState } from './fold.js';
import { ROW_CACHE_ENTRIES } from './limits.js';

/**
 * What is remembered of a partition's keys, bounded: two maps, the younger one becomes the older when it is half full, and the older is forgotten whole.
 * Every key used since then is kept. An exact least-recently-used list cost 8 % of a live fold; this costs a map look-up.
 */
export class RowCache {
  #young = new Map<string, KeyState>();
  #old = new Map<string, KeyState>();

  constructor(private readonly entries: number = ROW_CACHE_ENTRIES) {}

  get(key: string): KeyState | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  set(key: string, state: KeyState): void {
    this.#young.set(key, state);
    if (this.#young.size * 2 <= this.entries) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
