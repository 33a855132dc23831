import type { Item } from './key-state.js';

/** What is under way of one partition, in the order of the log: how far everything is finished without a hole. */
export class Window {
  #items: Item[] = [];
  #head = 0;
  /** Everything below is finished. */
  position: number;
  /** Everything below has been taken in. */
  #taken: number;
  /** The last finished fact that can be recognised again. */
  last: { offset: number; id: Buffer } | undefined;
  #finished = 0;

  constructor(position: number) {
    this.position = position;
    this.#taken = position;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Facts finished since the last call. */
  takeFinished(): number {
    const finished = this.#finished;
    this.#finished = 0;
    return finished;
  }

  add(items: readonly Item[], nextOffset: number): void {
    for (const item of items) this.#items.push(item);
    this.#taken = nextOffset;
    this.advance();
  }

  /** @returns whether the position moved. */
  advance(): boolean {
    const before = this.position;
    while (this.#head < this.#items.length && this.#items[this.#head]!.finished) {
      const { record, factId } = this.#items[this.#head]!;
      if (factId) this.last = { offset: record.offset, id: factId };
      this.#finished++;
      this.#head++;
    }
    this.position = this.#head < this.#items.length ? this.#items[this.#head]!.record.offset : this.#taken;
    if (this.#head > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return this.position > before;
  }
}
