import { type Watermark, parseWatermark } from 'factline/contracts';
import type { RecordBatch } from 'factline/log';
import { WATERMARKS_WAITING } from './limits.js';

/** A watermark's part about one partition. */
interface Mark {
  offset: number;
  asOfMs: number;
}

interface PartitionFreshness {
  appliedTo: number;
  asOfMs: number | undefined;
  waiting: Mark[];
  /** The highest offset that a watermark named. One below it speaks of another log, or comes from an owner that is over. Infinity: all of them do. */
  told: number;
}

/**
 * How old an answer from this read model may be at worst. Silence with watermarks means "no change"; silence without them means "unknown", and the
 * as-of time then stands still. Promised: nothing committed by the producer at or before `asOf` is missing. Times are the producer database's clock.
 */
export class Freshness {
  readonly #partitions = new Map<string, PartitionFreshness[]>();

  /** The partitions of a topic that this process follows, with their positions. */
  track(topic: string, partition: number, appliedTo: number): void {
    const partitions = this.#partitions.get(topic) ?? [];
    this.#partitions.set(topic, partitions);
    partitions[partition] = { appliedTo, asOfMs: undefined, waiting: [], told: 0 };
  }

  /** The log is no longer the one that was read: offsets of its watermarks say nothing about what is applied, until the partition is tracked again. */
  freeze(topic: string, partition: number): void {
    const state = this.#partitions.get(topic)?.[partition];
    if (state) state.told = Infinity;
  }

  forget(topic: string, partition: number): void {
    delete this.#partitions.get(topic)?.[partition];
  }

  applied(topic: string, partition: number, nextOffset: number): void {
    const state = this.#partitions.get(topic)?.[partition];
    if (!state) return;
    state.appliedTo = nextOffset;
    settle(state);
  }

  /** Takes watermark records as they come; malformed ones are answered with false, and change nothing. */
  observe(batch: RecordBatch): boolean {
    let sound = true;
    for (const { value } of batch.records) {
      const mark = parseWatermark(value);
      if (!mark) sound = false;
      else this.#mark(mark);
    }
    return sound;
  }

  #mark(mark: Watermark): void {
    this.#partitions.get(mark.topic)?.forEach((state, partition) => {
      const offset = mark.offsets[partition];
      if (offset === undefined || offset === null || offset < state.told) return;
      state.told = offset;
      const next = { offset, asOfMs: mark.asOf };
      if (state.waiting.length >= WATERMARKS_WAITING) state.waiting[state.waiting.length - 1] = next;
      else state.waiting.push(next);
      settle(state);
    });
  }

  /** As-of time of one partition, or of all tracked ones (the oldest), in milliseconds; undefined while any is unknown. */
  asOf(topic?: string, partition?: number): number | undefined {
    const topics = topic === undefined ? [...this.#partitions.values()] : [this.#partitions.get(topic) ?? []];
    const states = topics.flatMap((partitions) => (partition === undefined ? partitions.filter(Boolean) : [partitions[partition]]));
    if (states.length === 0) return undefined;
    let oldest = Number.POSITIVE_INFINITY;
    for (const state of states) {
      if (state?.asOfMs === undefined) return undefined;
      oldest = Math.min(oldest, state.asOfMs);
    }
    return oldest;
  }
}

function settle(state: PartitionFreshness): void {
  let reached = 0;
  while (reached < state.waiting.length && state.waiting[reached]!.offset <= state.appliedTo) {
    state.asOfMs = Math.max(state.asOfMs ?? 0, state.waiting[reached]!.asOfMs);
    reached++;
  }
  if (reached > 0) state.waiting.splice(0, reached);
}
