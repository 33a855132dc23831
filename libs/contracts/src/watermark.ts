/** Where relays state their watermarks: one partition, so that a reader follows one place for all producers. */
export const WATERMARK_TOPIC = 'factline.watermark';

/**
 * A producer's statement about its topic: as of `asOf`, everything it committed to a partition lies below that partition's offset. Silence with watermarks means
 * "no change", silence without them "unknown". On the wire: JSON, keyed by the topic.
 */
export interface Watermark {
  topic: string;
  /** Milliseconds since 1970 by the producer's database. */
  asOf: number;
  /** The relay's epoch; a smaller one than seen before comes from a stale relay. */
  epoch: number;
  /** By partition: every fact whose commit was answered before `asOf` lies below this offset. null: nothing is said of a partition that takes no facts now. */
  offsets: readonly (number | null)[];
}

/** A record of the watermark topic; undefined for anything that is not a whole watermark. */
export function parseWatermark(value: Buffer | null): Watermark | undefined {
  let mark: Partial<Watermark> | null;
  try {
    mark = JSON.parse(value?.toString('utf8') ?? '') as Partial<Watermark> | null;
  } catch {
    return undefined; // told apart by the caller: a foreign record must not stop freshness
  }
  const offsets = Array.isArray(mark?.offsets) && mark.offsets.every((offset) => offset === null || (Number.isSafeInteger(offset) && offset >= 0));
  return typeof mark?.topic === 'string' && typeof mark.asOf === 'number' && offsets ? (mark as Watermark) : undefined;
}
