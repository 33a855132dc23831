import type { LaneEvents } from 'factline/consumer';
import type { LogRecord, RecordBatch } from 'factline/log';
import { INTAKE_FACTS, QUEUE_BYTES, QUEUE_FACTS } from './limits.js';

/** Consecutive records to take in. */
export interface Chunk {
  records: readonly LogRecord[];
  nextOffset: number;
}

/** What was fetched and not taken in yet: bounded by pausing the fetching of the partition. */
export class Backlog {
  #batches: RecordBatch[] = [];
  #facts = 0;
  #bytes = 0;
  #paused = false;

  constructor(
    private position: number,
    private readonly events: Pick<LaneEvents, 'pause' | 'resume'>,
  ) {}

  get empty(): boolean {
    return this.#facts === 0;
  }

  add(batch: RecordBatch): void {
    this.#batches.push(batch);
    this.#count(batch, 1);
    if (this.#paused || (this.#facts <= QUEUE_FACTS && this.#bytes <= QUEUE_BYTES)) return;
    this.#paused = true;
    this.events.pause();
  }

  get full(): boolean {
    return this.#paused;
  }

  /** The next records, at most `room`; they stay here until they are `taken`. */
  next(room: number): Chunk | undefined {
    for (const { records, nextOffset } of this.#batches) {
      const fresh = records.filter(({ offset }) => offset >= this.position);
      const most = Math.min(room, INTAKE_FACTS);
      if (fresh.length > most) return { records: fresh.slice(0, most), nextOffset: fresh[most]!.offset };
      if (nextOffset > this.position) return { records: fresh, nextOffset };
    }
    return undefined;
  }

  taken({ nextOffset }: Chunk): void {
    this.position = nextOffset;
    while (this.#batches.length > 0 && this.#batches[0]!.nextOffset <= nextOffset) this.#count(this.#batches.shift()!, -1);
    if (!this.#paused || this.#facts > QUEUE_FACTS / 2 || this.#bytes > QUEUE_BYTES / 2) return;
    this.#paused = false;
    this.events.resume();
  }

  clear(): void {
    this.#batches = [];
    this.#facts = 0;
    this.#bytes = 0;
  }

  #count({ records }: RecordBatch, sign: 1 | -1): void {
    this.#facts += sign * records.length;
    for (const { value } of records) this.#bytes += sign * (value?.length ?? 0);
  }
}
