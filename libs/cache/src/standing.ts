import type { Region } from './region.js';
import type { Reached, SourceState } from './source.js';

/** What one load may say of its values: where its source stood before it read. */
export class Standing {
  readonly #positions: ReadonlyMap<string, Reached> | undefined;
  readonly #ownPositions: ReadonlyMap<Region, number | undefined>;

  /** @param state undefined: the source is the truth itself, which holds whatever the tail had seen by now. */
  constructor(
    private readonly state: SourceState | undefined,
    regions: readonly Region[],
    private readonly nowMs: number,
  ) {
    this.#positions = state && new Map(state.partitions.map((each) => [`${each.topic}/${each.partition}`, each]));
    this.#ownPositions = state ? new Map() : new Map(regions.map((region) => [region, region.position]));
  }

  get build(): number | undefined {
    return this.state?.build;
  }

  of = (region: Region): Pick<Reached, 'nextOffset' | 'topicId' | 'blocked'> & { asOfMs: number | null } => {
    if (!this.#positions) return { nextOffset: this.#ownPositions.get(region) ?? -1, asOfMs: this.nowMs };
    return this.#positions.get(`${region.topic}/${region.partition}`) ?? { nextOffset: -1, asOfMs: null };
  };

  /** As of when a value holds that was read after this. @param regions undefined: nobody knows which, so the oldest of all. */
  asOfMs(factKey: string | undefined, regions: readonly Region[] | undefined): number | null {
    if (!this.state) return this.nowMs;
    const relevant = regions && regions.length > 0 ? regions.map(this.of) : this.state.partitions;
    if (relevant.length === 0) return null;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { asOfMs, blocked } of relevant) {
      const held = heldBack(blocked, factKey);
      const known = held === undefined ? asOfMs : held;
      if (known === null) return null;
      oldest = Math.min(oldest, known);
    }
    return oldest;
  }

  /** Whether the regions may say from now on how new the value is: what they see later is all that it lacks. */
  vouched(factKey: string | undefined, regions: readonly Region[]): boolean {
    return regions.every((region) => {
      const reached = this.of(region);
      return region.vouchesFor(reached) && heldBack(reached.blocked, factKey) === undefined;
    });
  }
}

/** As of when a key holds whose facts are blocked; undefined: it is not blocked. A key of all facts is as old as the oldest of them. */
function heldBack(blocked: Reached['blocked'], factKey: string | undefined): number | null | undefined {
  if (blocked === undefined || blocked === 'all') return blocked === undefined ? undefined : null;
  if (factKey !== undefined) return blocked.get(factKey);
  const times = [...blocked.values()];
  return times.length === 0 ? undefined : times.reduce((oldest, time) => (oldest === null || time === null ? null : Math.min(oldest, time)));
}
