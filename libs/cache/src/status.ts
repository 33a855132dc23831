import { Counts } from './counts.js';
import type { Region } from './region.js';

export interface RegionStatus {
  readonly topic: string;
  readonly partition: number;
  /** Nothing committed until then was missed; null: unknown. */
  readonly asOfMs: number | null;
  readonly stale: boolean;
}

export interface CacheStatus {
  readonly name: string;
  readonly entries: number;
  readonly loading: number;
  readonly counts: Readonly<Counts>;
  /** None before the topics are found. */
  readonly regions: readonly RegionStatus[];
}

export function statusOf(name: string, entries: number, loading: number, counts: Counts, regions: readonly Region[], stale: (region: Region) => boolean): CacheStatus {
  return { name, entries, loading, counts: Object.assign(new Counts(), counts), regions: regions.map((region) => ({ topic: region.topic, partition: region.partition, asOfMs: region.hold.asOfMs, stale: stale(region) })) };
}
