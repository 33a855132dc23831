import { Freshness, followWatermarks } from 'factline/consumer';
import { FactDecoder, type ReceivedFact, type SelectedFact, type WriterSchemas } from 'factline/contracts';
import { type Clock, FactlineError, type Logger, backoffMs, detached, messageOf, pause, silentLogger } from 'factline/kernel';
import type { FactLog, RecordBatch, TopicState } from 'factline/log';
import { holdOf } from './answer.js';
import type { Counts } from './counts.js';
import { RETRY_MAX_MS } from './limits.js';
import type { Region, Regions } from './region.js';

/** What the tail reads with. */
export interface CacheFeed {
  readonly log: FactLog;
  readonly writers: WriterSchemas;
  /** Whose contract has to declare the facts; left out, any app's. */
  readonly app?: string;
  readonly logger?: Logger;
}

export type KeysOf = (fact: ReceivedFact) => Iterable<string>;

export interface TailOptions extends CacheFeed {
  readonly name: string;
  readonly facts: readonly SelectedFact[];
  readonly keysOf: ReadonlyMap<string, KeysOf>;
  readonly regions: Regions;
  readonly counts: Counts;
  readonly clock: Clock;
  evict(region: Region, key: string, offset: number): void;
}

/**
 * Reads the topics from their ends on, all partitions in every process, without a group: nobody shares them out and no position is kept. Each partition for itself: one that is cut
 * turns stale alone. Where a position is lost, the partition begins anew at its end, and nothing from before is vouched for.
 */
export class Tail {
  readonly #end = new AbortController();
  readonly #decoder: FactDecoder;
  readonly #freshness = new Freshness();
  readonly #logger: Logger;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: TailOptions) {
    this.#decoder = new FactDecoder(options.facts, options.writers, options.app);
    this.#logger = options.logger ?? silentLogger;
  }

  start(): void {
    this.#loop = detached(() => this.#run())();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const topics = [...new Set(this.options.facts.map(({ topic }) => topic))];
    const states = await this.#describe(topics);
    if (!states) return;
    const parts = states.flatMap((state) => this.options.regions.open(state.name, state.partitions.length).map((region) => ({ region, state })));
    for (const { region, state } of parts) this.#begin(region, state);
    // Watermarks come after the partitions are known: those that are read back are told once.
    const watermarks = followWatermarks(this.options.log, this.#freshness, this.#end.signal, this.#logger, () => this.#heard());
    await Promise.all([watermarks, ...parts.map(({ region, state }) => this.#follow(region, state))]);
  }

  async #describe(topics: readonly string[]): Promise<TopicState[] | undefined> {
    for (let attempt = 1; !this.#end.signal.aborted; attempt++) {
      try {
        return await this.options.log.describe(topics);
      } catch (error) {
        this.#logger.debug({ cache: this.options.name, attempt, error: messageOf(error) }, 'the topics of a cache cannot be described');
        await pause(backoffMs(attempt, { maxDelay: RETRY_MAX_MS }), this.#end.signal);
      }
    }
    return undefined;
  }

  #begin(region: Region, state: TopicState): number {
    const { end } = state.partitions[region.partition]!;
    this.options.regions.begin(region, end, state.id);
    this.#freshness.track(region.topic, region.partition, end);
    return end;
  }

  async #follow(region: Region, found: TopicState): Promise<void> {
    const { topic, partition } = region;
    let from = { offset: found.partitions[partition]!.end, topicId: found.id };
    while (!this.#end.signal.aborted) {
      const lost = new AbortController();
      await this.options.log.follow({
        topic,
        partition,
        from,
        batch: (batch) => (lost.signal.aborted ? undefined : this.#take(region, batch)),
        disturbed: (error) => this.#disturbed(region, lost, error),
        abort: AbortSignal.any([this.#end.signal, lost.signal]),
      });
      const state = (await this.#describe([topic]))?.[0];
      if (state) from = { offset: this.#begin(region, state), topicId: state.id };
    }
  }

  #disturbed(region: Region, lost: AbortController, error: Error): void {
    const { topic, partition } = region;
    this.#logger.debug({ cache: this.options.name, topic, partition, error: messageOf(error) }, 'facts do not arrive at a cache');
    if (lost.signal.aborted || !(error instanceof FactlineError && error.code === 'log.out-of-range')) return;
    this.options.counts.gaps++;
    this.options.regions.broken(region);
    this.#logger.warn({ cache: this.options.name, topic, partition }, 'the cache lost its place in a partition; what it kept of it is not vouched for any more');
    lost.abort();
  }

  async #take(region: Region, batch: RecordBatch): Promise<void> {
    const unprepared = this.#decoder.unprepared(batch.records.map(({ value }) => value));
    if (unprepared.length > 0) await this.#decoder.prepare(unprepared);
    for (const { key, value, offset } of batch.records) {
      try {
        const fact = this.#decoder.decode(key, value);
        if (fact) for (const each of this.options.keysOf.get(fact.name)!(fact)) this.options.evict(region, each, offset);
      } catch (error) {
        this.options.counts.unreadable++;
        this.#logger.warn({ cache: this.options.name, topic: region.topic, partition: region.partition, offset, error: messageOf(error) }, 'a fact does not say which keys it changed; all of its partition are dropped');
        this.options.regions.begin(region, offset + 1, region.topicId);
      }
    }
    region.position = batch.nextOffset;
    this.#freshness.applied(region.topic, region.partition, batch.nextOffset);
    this.#heard();
  }

  #heard(): void {
    const { clock } = this.options;
    for (const region of this.options.regions.all) {
      const asOfMs = region.position === undefined ? undefined : this.#freshness.asOf(region.topic, region.partition);
      if (asOfMs === undefined || asOfMs <= (region.hold.asOfMs ?? Number.NEGATIVE_INFINITY)) continue;
      region.hold = holdOf(asOfMs, clock.now(), clock.monotonic());
    }
  }
}
