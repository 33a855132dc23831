import type { Cached } from './answer.js';
import type { Region } from './region.js';

/** One load under way, and everybody who waits for it. */
export class Flight<Value> {
  readonly answer: Promise<Cached<Value>>;
  resolve!: (answer: Cached<Value>) => void;
  reject!: (error: unknown) => void;
  /** The load that those share who came after the key was invalidated. */
  next: Promise<Cached<Value>> | undefined;
  /** Where the source stands, once it was asked. */
  reached: ((region: Region) => { readonly nextOffset: number }) | undefined;
  #overtaken = false;

  constructor(readonly key: string) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.answer.catch(() => undefined); // a refresh has nobody who waits; its failure is counted where it happens
  }

  /** The key was invalidated: what this load finds may be older, so it is neither kept nor given to those who come from now on. */
  overtake(): void {
    this.#overtaken = true;
  }

  /** A fact changed the key. A source that has not said where it stands may still contain it. */
  overtakenBy(region: Region, offset: number): void {
    if (this.reached && this.reached(region).nextOffset <= offset) this.overtake();
  }

  get overtaken(): boolean {
    return this.#overtaken;
  }
}
