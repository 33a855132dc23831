import { type Clock, FactlineError, type Logger, Signal, backoffMs, detached, messageOf, pause, silentLogger, systemClock } from 'factline/kernel';
import type { Position, RecordBatch, Subscription, TopicState } from 'factline/log';
import { noTracing } from 'factline/tracing';
import { AsOfRecorder } from './as-of.js';
import { type Checkpoint, findGaps } from './checkpoint.js';
import { followSwap } from './follow-swap.js';
import { Holding } from './holding.js';
import { Lane } from './lane.js';
import type { LaneOpening, PartitionLane, Trouble } from './partition-lane.js';
import { OpenLanes } from './open-lanes.js';
import { AS_OF_INTERVAL_MS, RECHECK_MS, REPORT_INTERVAL_MS, RETRY_MAX_MS } from './limits.js';
import { type SubscriptionStatus, summarize } from './status.js';
import type { FactSubscriptionOptions } from './subscription-options.js';
import type { BlockedKeys } from './target.js';
import { traced } from './traced.js';

/**
 * Feeds a target from its topics for as long as it runs: positions come from the target's database, never from the broker; each partition has its own lane.
 * Promised: facts of a partition are applied in order; each is in effect once, because effect and checkpoint commit together and a former owner's
 * commit is refused; a log that does not fit the checkpoint stops the partition (state GAP), it is never reset.
 * Not promised: order between partitions.
 */
export class FactSubscription {
  readonly #options: FactSubscriptionOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #lanes: OpenLanes;
  readonly #advanced = new Signal();
  readonly #abort = new AbortController();
  readonly #holding: Holding;
  #subscription: Subscription | undefined;
  #epoch = 0;
  #assignedEpoch = -1;
  #trouble: Trouble | undefined;
  #blocked: (BlockedKeys & { sinceMs: number }) | undefined;
  #loops: Promise<void>[] = [];
  #moving: Promise<void> = Promise.resolve();
  #counts = { facts: 0, transactions: 0, fenced: 0, restarts: 0, rebalances: 0 };

  constructor(options: FactSubscriptionOptions) {
    this.#options = options;
    this.#lanes = new OpenLanes(options.freshness);
    this.#holding = new Holding(options.target);
    this.#log = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
  }

  /** Joins the group; resolves when subscribed, which is before partitions are assigned. A broker that is down delays it in the background, not the caller. */
  start(): void {
    this.#log.info({ subscription: this.#options.name, group: this.#options.group, topics: this.#options.topics }, 'subscribing');
    this.#loops = [detached(() => this.#join())(), detached(() => this.#report())()];
  }

  /** Leaves the group after the transactions in hand have ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#lanes.close();
    await this.#moving;
    await this.#subscription?.stop();
    await Promise.all(this.#loops);
  }

  get status(): SubscriptionStatus {
    return summarize({
      name: this.#options.name,
      group: this.#options.group,
      topics: this.#options.topics,
      assigned: this.#assignedEpoch === this.#epoch && this.#epoch > 0,
      lanes: this.#lanes.all.map((lane) => lane.status),
      trouble: this.#trouble,
      pause: this.#holding.pause,
      blocked: this.#blocked,
      counts: this.#counts,
      asOfMs: this.#options.freshness.asOf(),
      nowMs: this.#clock.now(),
    });
  }

  /** Resolves when something was applied, or after `timeoutMs`. */
  async applied(timeoutMs: number): Promise<void> {
    if (this.#abort.signal.aborted) await pause(timeoutMs);
    else await this.#advanced.wait(timeoutMs, this.#abort.signal);
  }

  async #join(): Promise<void> {
    for (let attempt = 1; !this.#abort.signal.aborted; attempt++) {
      try {
        const subscription = await this.#options.log.subscribe({
          group: this.#options.group,
          topics: this.#options.topics,
          events: {
            assigned: (partitions, epoch) => this.#assigned(partitions, epoch),
            revoked: () => this.#counts.rebalances++,
            batch: (batch, epoch) => this.#batch(batch, epoch),
            outOfRange: (position, kept) => this.#lanes.outOfRange(position, kept),
            disturbed: (error, n) => this.#disturbed(error, n),
            recovered: () => (this.#trouble = undefined),
          },
        });
        this.#subscription = subscription;
        if (this.#abort.signal.aborted) await subscription.stop(); // stopped meanwhile: nobody else knows this one
        return;
      } catch (error) {
        this.#disturbed(error, attempt);
        await pause(backoffMs(attempt, { maxDelay: RETRY_MAX_MS }), this.#abort.signal);
      }
    }
  }

  /** Answers positions only when the database agrees that this software may go on; until then it keeps asking, and the group keeps the partitions ours. */
  async #assigned(partitions: readonly { topic: string; partition: number }[], epoch: number): Promise<readonly Position[]> {
    this.#epoch = epoch;
    await this.#lanes.close();
    for (let attempt = 1; this.#epoch === epoch && !this.#abort.signal.aborted; attempt++) {
      try {
        const lanes = await this.#claim(partitions);
        if (this.#epoch !== epoch || this.#abort.signal.aborted) return [];
        for (const lane of lanes) this.#open(lane);
        this.#assignedEpoch = epoch;
        this.#trouble = undefined;
        return lanes.map(({ checkpoint: { topic, partition, nextOffset, topicId } }) => ({ topic, partition, offset: nextOffset, topicId }));
      } catch (error) {
        this.#disturbed(error, attempt);
        const waits = error instanceof FactlineError && error.retry ? backoffMs(attempt, { maxDelay: RETRY_MAX_MS }) : RECHECK_MS;
        await pause(waits, this.#abort.signal);
      }
    }
    return [];
  }

  async #claim(partitions: readonly { topic: string; partition: number }[]): Promise<PartitionLane[]> {
    const { log, target } = this.#options;
    await this.#holding.look([]); // before the first fact is taken
    const topics = await log.describe(this.#options.topics);
    const checkpoints = await target.claim(topics, partitions);
    const gaps = await findGaps(log, topics, checkpoints);
    return checkpoints.map((checkpoint) => {
      const lane = this.#lane(checkpoint, topics);
      const misfit = gaps.get(lane.name);
      if (misfit) lane.halt(misfit);
      return lane;
    });
  }

  #lane(checkpoint: Checkpoint, topics: readonly TopicState[]): PartitionLane {
    const { topic, partition } = checkpoint;
    const { target, tracing = noTracing } = this.#options;
    const opening: LaneOpening = {
      checkpoint,
      endOffset: topics.find(({ name }) => name === topic)!.partitions[partition]!.end,
      events: {
        pause: () => this.#subscription?.pause(topic, partition),
        resume: () => (this.#holding.pause ? undefined : this.#subscription?.resume(topic, partition)),
        advanced: (_checkpoint, nextOffset, facts) => {
          this.#counts.facts += facts;
          if (facts > 0) this.#counts.transactions++;
          this.#options.freshness.applied(topic, partition, nextOffset);
          this.#advanced.notify();
        },
        fenced: () => this.#fenced(lane),
      },
      log: this.#log,
      now: () => this.#clock.now(),
    };
    const lane = 'openLane' in target ? target.openLane(opening) : new Lane(opening, traced(target, tracing, this.#options));
    return lane;
  }

  #open(lane: PartitionLane): void {
    const { topic, partition } = lane.checkpoint;
    this.#lanes.add(lane);
    if (lane.status.halted) this.#subscription?.pause(topic, partition);
    else this.#subscription?.resume(topic, partition); // its former lane may have paused it
    this.#holding.settle(lane);
    lane.start();
  }

  #batch(batch: RecordBatch, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#trouble = undefined;
    this.#lanes.at(batch)?.enqueue(batch);
  }

  #fenced(lane: PartitionLane): void {
    this.#counts.fenced++;
    this.#log.info({ subscription: this.#options.name, lane: lane.name }, 'a commit was refused: reading the position again');
    this.#move(lane);
  }

  /** Another generation went live, or another process owns the partition. Both are answered by asking the database and the group again. */
  #move(lane: PartitionLane): void {
    const epoch = this.#epoch;
    const { checkpoint } = lane;
    const current = () => epoch === this.#epoch && !this.#abort.signal.aborted && this.#lanes.isOpen(lane);
    this.#moving = this.#moving.then(async () => {
      if (!current() || lane.checkpoint !== checkpoint) return; // moved already, with another lane that met the same swap
      try {
        if (await followSwap(this.#lanes.all, checkpoint.generation, this.#options, current)) return;
      } catch (error) {
        this.#disturbed(error, 1);
      }
      await this.#subscription?.stop();
      await this.#lanes.close();
      if (!this.#abort.signal.aborted) await this.#join();
    });
  }

  /** A swap is met by the next commit; where no fact comes, and where a partition is halted, nobody would meet it. */
  async #noticeSwap(): Promise<void> {
    if (this.#lanes.all.length === 0) return;
    const generation = await this.#options.target.generation();
    const left = this.#lanes.all.find((lane) => lane.checkpoint.generation !== generation);
    if (left) this.#move(left);
    await this.#moving;
  }

  #disturbed(thrown: unknown, attempt: number): void {
    this.#counts.restarts += attempt > 1 ? 0 : 1;
    const error = thrown instanceof FactlineError ? thrown : undefined;
    if (error && this.#lanes.haltBroken(error, attempt)) return;
    this.#trouble = {
      code: error?.code ?? 'consumer.disturbed',
      reason: messageOf(thrown),
      advice: error?.advice,
      sinceMs: this.#trouble?.sinceMs ?? this.#clock.now(),
    };
    this.#log.warn({ subscription: this.#options.name, attempt, code: this.#trouble.code, error: this.#trouble.reason }, 'the subscription is disturbed; trying again');
  }

  /** Two hints for others, neither of which decides anything: group offsets for lag tools, as-of times for readers in other processes. */
  async #report(): Promise<void> {
    let reportedMs = 0;
    const asOf = new AsOfRecorder(this.#options.target, this.#options.freshness);
    while (!this.#abort.signal.aborted) {
      await pause(AS_OF_INTERVAL_MS, this.#abort.signal);
      try {
        const changed = await this.#holding.look(this.#lanes.all);
        if (changed) this.#log.info({ subscription: this.#options.name, reason: this.#holding.pause?.reason }, `the subscription is ${changed}`);
        await this.#noticeSwap();
        await asOf.record(this.#lanes.all);
        const blocked = this.#lanes.all.length > 0 && (await this.#options.target.blocked?.());
        this.#blocked = blocked && blocked.keys > 0 ? { ...blocked, sinceMs: this.#blocked?.sinceMs ?? this.#clock.now() } : undefined;
      } catch (error) {
        this.#log.warn({ subscription: this.#options.name, error: messageOf(error) }, 'the database did not take as-of times');
      }
      if (this.#clock.monotonic() - reportedMs >= REPORT_INTERVAL_MS && this.#lanes.all.length > 0) {
        reportedMs = this.#clock.monotonic();
        await this.#subscription?.report(this.#lanes.all.map((lane) => ({ ...lane.status, offset: lane.status.nextOffset })));
      }
    }
  }
}
