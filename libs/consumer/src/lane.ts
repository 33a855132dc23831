import type { RecordBatch } from 'factline/log';
import { FactlineError, type Logger, Signal, backoffMs, messageOf, pause } from 'factline/kernel';
import { type Checkpoint, laneName } from './checkpoint.js';
import { BATCH_FACTS, BATCH_WAIT_MS, FAR_BEHIND_FACTS, QUEUE_BYTES, QUEUE_FACTS, RETRY_MAX_MS } from './limits.js';
import type { LaneEvents, LaneOpening, PartitionLane, PartitionStatus, Trouble } from './partition-lane.js';
import { REFUSED } from './status.js';
import type { SubscriptionTarget, Work } from './target.js';

/** One partition: a bounded queue, and one loop that applies what is queued, in order, in as few transactions as it can. */
export class Lane implements PartitionLane {
  readonly name: string;
  #queue: RecordBatch[] = [];
  #facts = 0;
  #bytes = 0;
  #paused = false;
  #held = false;
  #position: number;
  #endOffset: number;
  #lastCompletedMs: number;
  #waitingSinceMs: number | undefined;
  #trouble: Trouble | undefined;
  #halted = false;
  readonly #wake = new Signal();
  #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  checkpoint: Checkpoint;
  readonly #events: LaneEvents;
  readonly #log: Logger;
  readonly #now: () => number;

  constructor(
    { checkpoint, endOffset, events, log, now }: LaneOpening,
    private readonly target: Pick<SubscriptionTarget, 'apply' | 'generation'>,
  ) {
    this.checkpoint = checkpoint;
    this.#events = events;
    this.#log = log;
    this.#now = now;
    this.name = laneName(checkpoint);
    this.#position = checkpoint.nextOffset;
    this.#endOffset = endOffset;
    this.#lastCompletedMs = now();
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Stops without finishing the queue; what is in the database's hands ends first. */
  async stop(): Promise<void> {
    await this.park();
    this.#queue = [];
  }

  /** Stops applying and keeps what is queued. */
  async park(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** Goes on from another checkpoint with what is queued; only forward, since what was applied before is no longer in memory. @returns whether it could. */
  restart(checkpoint: Checkpoint): boolean {
    if (checkpoint.nextOffset < this.#position) return false;
    this.checkpoint = checkpoint;
    this.#position = checkpoint.nextOffset;
    this.#abort = new AbortController();
    this.start();
    return true;
  }

  enqueue(batch: RecordBatch): void {
    if (this.#halted) return;
    this.#endOffset = batch.endOffset;
    this.#waitingSinceMs ??= this.#now();
    this.#queue.push(batch);
    this.#facts += batch.records.length;
    for (const record of batch.records) this.#bytes += record.value?.length ?? 0;
    if (!this.#paused && (this.#facts > QUEUE_FACTS || this.#bytes > QUEUE_BYTES)) {
      this.#paused = true;
      this.#events.pause();
    }
    this.#wake.notify();
  }

  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#events.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#queue.length > 0) this.#waitingSinceMs = this.#now();
    if (!this.#paused && !this.#halted) this.#events.resume();
    this.#wake.notify();
  }

  /** Stops applying for good, visibly: a human has to act. */
  halt(error: FactlineError): void {
    this.#halted = true;
    this.#queue = [];
    this.#facts = 0;
    this.#bytes = 0;
    this.#setTrouble(error);
    this.#log.error({ lane: this.name, code: error.code, error: error.message, details: error.details }, 'the partition is halted');
    this.#events.pause();
  }

  get status(): PartitionStatus {
    return {
      topic: this.checkpoint.topic,
      partition: this.checkpoint.partition,
      nextOffset: this.#position,
      endOffset: Math.max(this.#endOffset, this.#position),
      lag: Math.max(0, this.#endOffset - this.#position),
      halted: this.#halted,
      trouble: this.#trouble,
      lastCompletedMs: this.#lastCompletedMs,
      waitingSinceMs: this.#trouble ? undefined : this.#waitingSinceMs, // what is in trouble says why it waits; a restart would not help
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && !this.#halted) {
      await this.#gather(signal);
      const work = this.#held ? undefined : this.#take();
      if (!work) {
        this.#waitingSinceMs = undefined;
        await this.#wake.wait(RETRY_MAX_MS, signal);
      } else if (!(await this.#apply(work, signal))) {
        return;
      }
    }
  }

  /** While the log is known to hold much more than is queued, waits a moment for a fuller batch; a lane that keeps up never waits. */
  async #gather(signal: AbortSignal): Promise<void> {
    const until = performance.now() + BATCH_WAIT_MS;
    const fuller = () => Math.min(BATCH_FACTS, this.#endOffset - this.#position);
    while (this.#facts > 0 && !this.#paused && fuller() > FAR_BEHIND_FACTS && this.#facts < fuller()) {
      const left = until - performance.now();
      if (left <= 0 || signal.aborted) return;
      await this.#wake.wait(left, signal);
    }
  }

  /** As much as one transaction may take; records below the position were applied before. */
  #take(): Work | undefined {
    const records: RecordBatch['records'][number][] = [];
    let nextOffset = this.#position;
    let batch: RecordBatch | undefined;
    while (records.length < BATCH_FACTS && (batch = this.#queue.shift())) {
      this.#facts -= batch.records.length;
      for (const record of batch.records) {
        this.#bytes -= record.value?.length ?? 0;
        if (record.offset >= nextOffset) records.push(record);
      }
      nextOffset = Math.max(nextOffset, batch.nextOffset);
    }
    if (this.#paused && this.#facts <= QUEUE_FACTS / 2 && this.#bytes <= QUEUE_BYTES / 2) {
      this.#paused = false;
      this.#events.resume();
    }
    return nextOffset > this.#position ? { records, nextOffset } : undefined;
  }

  /** @returns whether the lane goes on. */
  async #apply(work: Work, signal: AbortSignal): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) return this.#giveBack(work);
      if (this.#held) {
        this.#giveBack(work);
        return true;
      }
      try {
        const result = work.records.length === 0 ? this.checkpoint : await this.target.apply(this.checkpoint, work);
        if (result === 'fenced') {
          this.#events.fenced();
          return this.#giveBack(work);
        }
        this.#advance(result, work);
        return true;
      } catch (error) {
        const fault = error instanceof FactlineError ? error : defect(error, this.name);
        if (!fault.retry && !REFUSED.has(fault.code)) {
          if ((await this.#superseded()) || (await this.#applySoundPart(work, fault)) === 'fenced') {
            this.#events.fenced();
            return this.#giveBack(work);
          }
          this.halt(fault);
          return false;
        }
        this.#setTrouble(fault);
        this.#log.warn({ lane: this.name, attempt, code: fault.code, error: fault.message }, 'applying failed; trying again');
        await pause(backoffMs(attempt, { maxDelay: RETRY_MAX_MS }), signal);
      }
    }
  }

  #advance(checkpoint: Checkpoint, work: Work): void {
    this.checkpoint = checkpoint;
    this.#position = work.nextOffset;
    this.#lastCompletedMs = this.#now();
    if (!this.#halted) this.#trouble = undefined;
    this.#events.advanced(checkpoint, work.nextOffset, work.records.length);
  }

  /** What lies before the fact that failed is applied, so that the partition waits at that fact and not at the begin of its batch. */
  async #applySoundPart(work: Work, { details }: FactlineError): Promise<'fenced' | 'done'> {
    const offset = details['offset'];
    if (typeof offset !== 'number' || (work.records[0]?.offset ?? offset) >= offset) return 'done';
    const sound = { records: work.records.filter((record) => record.offset < offset), nextOffset: offset };
    try {
      const result = await this.target.apply(this.checkpoint, sound);
      if (result === 'fenced') return 'fenced';
      this.#advance(result, sound);
    } catch (error) {
      this.#log.warn({ lane: this.name, error: messageOf(error) }, 'the facts before the failed one were not applied either');
    }
    return 'done';
  }

  /** Whether another generation is live by now: it may have other columns, so that a failure says nothing about the fact. */
  async #superseded(): Promise<boolean> {
    try {
      return (await this.target.generation()) !== this.checkpoint.generation;
    } catch {
      return false; // the failure itself is what is shown
    }
  }

  /** Work that was not applied is first in the queue again. */
  #giveBack({ records, nextOffset }: Work): false {
    const { topic, partition } = this.checkpoint;
    this.#queue.unshift({ topic, partition, records, nextOffset, endOffset: this.#endOffset });
    this.#facts += records.length;
    for (const record of records) this.#bytes += record.value?.length ?? 0;
    return false;
  }

  #setTrouble(error: FactlineError): void {
    this.#trouble = { code: error.code, reason: error.message, advice: error.advice, sinceMs: this.#trouble?.sinceMs ?? this.#now() };
  }
}

function defect(error: unknown, lane: string): FactlineError {
  return new FactlineError({
    code: 'consumer.defect',
    kind: 'internal',
    message: `Applying facts of ${lane} failed unexpectedly: ${messageOf(error)}`,
    advice: 'The partition waits at this position; restart with corrected software.',
    cause: error,
  });
}
