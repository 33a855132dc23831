import { hostname } from 'node:os';
import { FactlineError, Signal, backoffMs, detached, messageOf, milliseconds, pause, silentLogger, systemClock } from 'factline/kernel';
import { type Session, schemaMemory } from 'factline/store';
import { noTracing } from 'factline/tracing';
import {
  HEARTBEAT_MS,
  PAGE_ROWS,
  POLL_BUSY_MS,
  POLL_IDLE_MS,
  PUBLISH_TIMEOUT_MS,
  RESTART_DELAY_MAX_MS,
  RESTART_DELAY_MS,
  STANDBY_RETRY_MS,
  WATERMARK_MIN_INTERVAL_MS,
} from './limits.js';
import { Ownership } from './ownership.js';
import { type Backlog, measureBacklog } from './pressure.js';
import type { RelayOptions, RelayStatus } from './relay-options.js';
import { rotate, rotationLimits } from './rotation.js';
import { type RelayCounters, Tenure, type TickCounts } from './tenure.js';

interface Tenancy {
  session: Session;
  ownership: Ownership;
  tenure: Tenure;
}

const NO_BACKLOG: Backlog = { rows: 0, bytes: 0, oldestAgeMs: 0 };

/**
 * Publishes what `FactOutbox.add` stated, from one process at a time per database; others stand by and take over within about a second.
 *
 * Promised: every committed fact reaches the log, the facts of one key in the order of their numbers; a rolled-back one never does. A crash, a takeover or an
 * unanswered send may repeat facts, with the same numbers; dropping what was seen leaves the order whole. A long transaction, in this or another database,
 * delays its own facts only. Not promised: order between keys.
 *
 * A partition that takes nothing, because its leader is missing or it refuses a fact for good, holds up the others for 10 s at most. Then its facts are set
 * aside in `factline.outbox_held`, in their order, until it takes them; `status().rejections` and `outboxStatus().held` name it.
 * Algorithm: snapshot-diff ticks, as in PgQ (see snapshot.ts for why they are right).
 */
export class Relay {
  readonly #options: Required<Omit<RelayOptions, 'pollInterval' | 'publishTimeout'>>;
  readonly #pollIdleMs: number;
  readonly #publishTimeoutMs: number;
  readonly #owner: string;
  readonly #counters: RelayCounters = { publishedTotal: 0, ticks: 0, rejectedSends: 0, lastProgressAt: undefined };
  #state: RelayStatus['state'] = 'stopped';
  #failure: RelayStatus['failure'];
  #backlog = NO_BACKLOG;
  #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #tenancy: Tenancy | undefined;
  /** Asks for the lock; becomes the owner's session. */
  #waiting: Session | undefined;

  constructor(options: RelayOptions) {
    this.#options = {
      topics: [],
      wake: new Signal(),
      enabled: true,
      batchSize: PAGE_ROWS,
      rotation: rotationLimits,
      observe: () => undefined,
      tracing: noTracing,
      logger: silentLogger,
      clock: systemClock,
      ...options,
    };
    this.#pollIdleMs = Math.min(milliseconds(options.pollInterval ?? POLL_IDLE_MS), WATERMARK_MIN_INTERVAL_MS);
    this.#publishTimeoutMs = milliseconds(options.publishTimeout ?? PUBLISH_TIMEOUT_MS);
    this.#owner = `${options.app}@${hostname()}:${process.pid}`;
  }

  /** Begins to compete for the outbox. Never throws: what fails is tried again and told by `status`. */
  start(): void {
    if (this.#options.enabled) this.#loop ??= detached(() => this.#run())();
  }

  /** Ends after the pages on their way are acknowledged and stored; a send that is being repeated is left to the next owner. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#release();
    this.#state = 'stopped';
  }

  /**
   * One tick, for tests and commands; do not mix it with `start`. Keeps the ownership until `stop`.
   * @throws FactlineError `relay.standby` (conflict) while another relay owns the outbox; `relay.fenced`; `relay.restored`.
   */
  async runOnce(): Promise<TickCounts> {
    try {
      if (!(await this.#acquire())) throw ownedElsewhere();
      const { ownership, tenure } = this.#tenancy!;
      const counts = await tenure.tick();
      await ownership.persist();
      await tenure.watermarks.settled();
      return counts;
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  status(): RelayStatus {
    const tenancy = this.#tenancy;
    return {
      ...this.#counters,
      state: this.#options.enabled ? this.#state : 'disabled',
      owner: this.#owner,
      epoch: tenancy?.ownership.epoch,
      rejections: tenancy?.tenure.lanes.rejections ?? [],
      failure: this.#failure,
      pendingEstimate: this.#backlog.rows,
      oldestUnsentAgeMs: this.#backlog.oldestAgeMs,
    };
  }

  async #run(): Promise<void> {
    const stop = this.#stop.signal;
    for (let failures = 0; !stop.aborted; ) {
      try {
        if (await this.#acquire()) {
          failures = 0;
          await this.#serve(this.#tenancy!);
        } else {
          this.#state = 'standby';
          this.#failure = undefined;
          await pause(STANDBY_RETRY_MS, stop);
        }
      } catch (error) {
        failures++;
        await this.#release();
        if (stop.aborted) return;
        this.#explain(error);
        await pause(backoffMs(failures, { delay: RESTART_DELAY_MS, maxDelay: RESTART_DELAY_MAX_MS }), stop);
      }
    }
  }

  /** Ticks without a pause while there are facts, then with pauses that double up to the poll interval, and at once on a wake-up. */
  async #serve({ ownership, tenure }: Tenancy): Promise<void> {
    const stop = this.#stop.signal;
    const ended = new AbortController();
    const beating = this.#beat(ownership, ended.signal);
    try {
      for (let pauseMs = 0; !stop.aborted; pauseMs = Math.min(pauseMs * 2, this.#pollIdleMs)) {
        ownership.assertHeld();
        const { rows } = await tenure.tick();
        if (rows > 0) pauseMs = 0;
        else await this.#options.wake.wait((pauseMs = Math.max(pauseMs, POLL_BUSY_MS)), stop);
      }
      await ownership.persist();
    } finally {
      ended.abort();
      await beating;
    }
  }

  /** Beside the ticks, so that a log that does not answer stops neither the heartbeat nor the rotation. */
  async #beat(ownership: Ownership, ended: AbortSignal): Promise<void> {
    const { store, rotation, observe, logger } = this.#options;
    const { epoch } = ownership;
    for (;;) {
      await pause(HEARTBEAT_MS, ended);
      if (ended.aborted) return;
      try {
        await ownership.persist();
        this.#backlog = (await measureBacklog(store)).backlog;
        const { emptied, switchedTo } = await rotate(store, rotation);
        for (const slot of emptied) await observe({ name: 'slot-emptied', epoch, slot });
        if (switchedTo !== undefined) await observe({ name: 'slot-switched', epoch, slot: switchedTo });
      } catch (error) {
        if (error instanceof FactlineError && error.kind === 'fenced') return; // the next tick meets it too
        logger.warn({ epoch, error: messageOf(error) }, 'a heartbeat of the relay failed');
      }
    }
  }

  async #acquire(): Promise<boolean> {
    if (this.#tenancy) return true;
    const { store, log, topics, app, batchSize, observe, tracing, clock, logger } = this.#options;
    if (this.#waiting?.lost) this.#waiting = undefined;
    this.#waiting ??= await store.session();
    const session = this.#waiting;
    const ownership = await Ownership.acquire(session, this.#owner);
    if (!ownership) return false;
    const tenure = new Tenure({
      ownership,
      log,
      topics,
      remembered: () => schemaMemory(store).all(),
      app,
      pageRows: batchSize,
      publishTimeoutMs: this.#publishTimeoutMs,
      counters: this.#counters,
      observe,
      tracing,
      abort: this.#stop.signal,
      clock,
      logger,
    });
    this.#tenancy = { session, ownership, tenure };
    this.#state = 'owner';
    this.#failure = undefined;
    logger.info({ owner: this.#owner, epoch: ownership.epoch }, 'the relay owns the outbox');
    await observe({ name: 'acquired', epoch: ownership.epoch });
    return true;
  }

  /** Ends the session first: the lock is free for others while slow sends are still awaited, and they are refused by the epoch. */
  async #release(): Promise<void> {
    const tenancy = this.#tenancy;
    const session = tenancy?.session ?? this.#waiting;
    this.#tenancy = undefined;
    this.#waiting = undefined;
    this.#backlog = NO_BACKLOG;
    await session?.close();
    if (!tenancy) return;
    try {
      await tenancy.tenure.close();
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error) }, 'the relay could not close its publisher');
    }
    await this.#options.observe({ name: 'released', epoch: tenancy.ownership.epoch });
  }

  #explain(error: unknown): void {
    const { logger, clock } = this.#options;
    const code = error instanceof FactlineError ? error.code : 'internal';
    if (error instanceof FactlineError && error.kind === 'fenced') {
      this.#state = 'standby';
      logger.warn({ code }, 'the relay lost the outbox to another one');
      return;
    }
    this.#state = 'failing';
    const since = this.#failure?.code === code ? this.#failure.since : clock.now();
    this.#failure = { code, message: messageOf(error), since };
    logger.error({ code, error: messageOf(error) }, 'the relay cannot work and tries again');
  }
}

function ownedElsewhere(): FactlineError {
  return new FactlineError({ code: 'relay.standby', kind: 'conflict', message: 'Another relay owns this outbox.', advice: 'Stop it, or let it do the work.' });
}
