import { partitionOf } from 'factline/log';
import type { Hold } from './answer.js';
import { REMEMBERED_KEYS } from './limits.js';
import type { Reached } from './source.js';

const UNKNOWN: Hold = { asOfMs: null, at: Number.NEGATIVE_INFINITY };

/**
 * A partition as the tail knows it. `position` is what the tail has taken; since `knownFrom` it missed nothing and remembers which keys it evicted. The begin is the end of the log at
 * the start, or after a gap.
 */
export class Region {
  /** Undefined while the tail does not stand in the log. */
  position: number | undefined;
  hold: Hold = UNKNOWN;
  /** Entries from before this turn of the cache's epoch are no longer vouched for by this region. */
  brokenAt = 0;
  topicId = '';
  #knownFrom = 0;
  readonly #evicted = new Map<string, number>();

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  /** The tail stands here from now on; what was before is not known to it. */
  begin(position: number, topicId: string, epoch: number): void {
    this.broken(epoch);
    if (topicId !== this.topicId) this.#evicted.clear(); // else what was seen before the gap is still newer than a source that has not got there
    this.position = position;
    this.topicId = topicId;
    this.#knownFrom = position;
  }

  /** The tail lost its place, or could not read a fact: nothing that is kept is vouched for. */
  broken(epoch: number): void {
    this.brokenAt = epoch;
    this.position = undefined;
    this.hold = UNKNOWN;
  }

  /** A fact at this offset changed what is known of a cached key. */
  evicted(key: string, offset: number): void {
    this.#evicted.delete(key); // so that the map stays in the order of offsets
    this.#evicted.set(key, offset);
    if (this.#evicted.size <= REMEMBERED_KEYS) return;
    const [oldest] = this.#evicted;
    this.#evicted.delete(oldest![0]);
    this.#knownFrom = Math.max(this.#knownFrom, oldest![1] + 1);
  }

  /** Whether a fact changed the key that a source which reached `nextOffset` did not contain. */
  knowsNewer(key: string, nextOffset: number): boolean {
    const offset = this.#evicted.get(key);
    return offset !== undefined && offset >= nextOffset;
  }

  /** Whether everything behind `nextOffset` was or will be seen here, so that what was loaded there is right until it is evicted. */
  vouchesFor({ topicId, nextOffset }: Pick<Reached, 'topicId' | 'nextOffset'>): boolean {
    return this.position !== undefined && nextOffset >= this.#knownFrom && (topicId === undefined || topicId === this.topicId);
  }
}

/** The partitions that a cache's keys depend on. */
export class Regions {
  readonly #topics = new Map<string, readonly Region[]>();
  /** Rises with each break. */
  epoch = 0;

  /** @param expected topics whose facts evict; all of them must be known before a key's regions are. */
  constructor(private readonly expected: ReadonlySet<string>) {}

  get all(): readonly Region[] {
    return [...this.#topics.values()].flat();
  }

  open(topic: string, partitions: number): readonly Region[] {
    const opened = Array.from({ length: partitions }, (_none, partition) => new Region(topic, partition));
    this.#topics.set(topic, opened);
    return opened;
  }

  begin(region: Region, position: number, topicId: string): void {
    region.begin(position, topicId, ++this.epoch);
  }

  broken(region: Region): void {
    region.broken(++this.epoch);
  }

  /** @param factKey undefined: facts of all partitions. @returns undefined while the topics are not known. */
  of(factKey: string | undefined): readonly Region[] | undefined {
    if (this.#topics.size < this.expected.size) return undefined;
    if (factKey === undefined) return this.all;
    const bytes = Buffer.from(factKey);
    return [...this.#topics.values()].map((regions) => regions[partitionOf(bytes, regions.length)]!);
  }

  /** Whether any fact that evicted the key is not in a source that stands where it says. */
  knowNewer(key: string, reached: (region: Region) => Pick<Reached, 'nextOffset'>): boolean {
    return this.all.some((region) => region.knowsNewer(key, reached(region).nextOffset));
  }
}
