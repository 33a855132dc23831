import { FactlineError, backoffMs, messageOf, pause } from 'factline/kernel';
import type { MemoryBroker, Position, RecordBatch, SubscribeOptions, Subscription } from 'factline/log';
import { SIMULATED_FETCH_WAIT_MS } from '../limits.js';
import { type LogFaults, refused } from './log-faults.js';
import type { SimulatedProcess } from './simulation.js';

interface Term {
  epoch: number;
  over: AbortController;
}

type Share = readonly { topic: string; partition: number }[];

/** A member of a group. It learns of a rebalance some time after the others did, and until then reads on: a former owner that does not know. */
export class SimulatedSubscription implements Subscription {
  readonly topics: readonly string[];
  readonly #paused = new Set<string>();
  #term: Term | undefined;
  #epoch = 0;
  #stopped = false;
  #serving: Promise<void> = Promise.resolve();

  constructor(
    private readonly process: SimulatedProcess,
    private readonly broker: MemoryBroker,
    private readonly faults: LogFaults,
    private readonly options: SubscribeOptions,
  ) {
    this.topics = options.topics;
    broker.join(options.group, this);
    process.onDeath(() => broker.leave(options.group, this));
  }

  /** Called by the broker. */
  assign(share: Share): void {
    this.#learn(share).catch((error: unknown) => this.options.events.disturbed(error as Error, 1));
  }

  /** As the newest member: it gets another share, and so do others. */
  rejoin(): void {
    if (this.#stopped) return;
    this.broker.leave(this.options.group, this);
    this.broker.join(this.options.group, this);
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(`${topic}/${partition}`);
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(`${topic}/${partition}`);
  }

  async report(positions: readonly Position[]): Promise<void> {
    await this.process.request('commit', () => this.broker.commit(this.options.group, positions));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.broker.leave(this.options.group, this);
    this.#endTerm();
    await this.#serving;
  }

  /** The newest word of the group counts, in whatever order the words come. */
  #told = 0;
  async #learn(share: Share): Promise<void> {
    const told = ++this.#told;
    await this.process.request('rebalance', () => undefined);
    if (told !== this.#told || this.#stopped) return;
    this.#endTerm();
    const term = { epoch: ++this.#epoch, over: new AbortController() };
    this.#term = term;
    this.#serving = Promise.all([this.#serving, this.#serve(share, term)]).then(() => undefined);
    await this.#serving;
  }

  #endTerm(): void {
    if (!this.#term) return;
    this.#term.over.abort();
    this.options.events.revoked(this.#term.epoch);
    this.#term = undefined;
  }

  async #serve(share: Share, { epoch, over }: Term): Promise<void> {
    const positions = await this.#positions(share, epoch, over.signal);
    await Promise.all(positions.map((position) => this.#follow({ ...position }, epoch, over.signal)));
  }

  /** As the drivers do: asked again until it is one for each partition. */
  async #positions(share: Share, epoch: number, over: AbortSignal): Promise<readonly Position[]> {
    const { events } = this.options;
    for (let attempt = 1; !over.aborted; attempt++) {
      try {
        const positions = await Promise.race([events.assigned(share, epoch), aborted(over)]);
        if (!positions || over.aborted) return [];
        if (share.every(({ topic, partition }) => positions.some((each) => each.topic === topic && each.partition === partition))) return positions;
        throw new FactlineError({ code: 'log.position-missing', kind: 'internal', message: 'The subscriber gave no position for a partition.' });
      } catch (error) {
        events.disturbed(error instanceof Error ? error : new Error(messageOf(error)), attempt);
        await pause(backoffMs(attempt), over);
      }
    }
    return [];
  }

  async #follow(at: Position, epoch: number, over: AbortSignal): Promise<void> {
    const { events } = this.options;
    const { topic, partition } = at;
    for (let failures = 0; !over.aborted; ) {
      try {
        const batch = this.#paused.has(`${topic}/${partition}`) ? undefined : await this.process.request(`fetch ${topic}/${partition} from ${at.offset}`, () => this.#fetch(at));
        if (over.aborted) return;
        if (batch === 'out of range') {
          return events.outOfRange(at, this.broker.kept(topic, partition));
        }
        if (failures > 0) events.recovered(epoch);
        failures = 0;
        if (batch && !this.#paused.has(`${topic}/${partition}`)) {
          events.batch(batch, epoch);
          at.offset = batch.nextOffset;
        } else await pause(SIMULATED_FETCH_WAIT_MS, over);
      } catch (error) {
        events.disturbed(error instanceof Error ? error : new Error(messageOf(error)), ++failures);
        await pause(backoffMs(failures), over);
      }
    }
  }

  #fetch(at: Position): RecordBatch | 'out of range' | undefined {
    const { simulation } = this.process;
    if (simulation.strikes(this.faults.refused)) throw refused();
    if (!this.broker.has(at)) return 'out of range';
    const { topic, partition, offset } = at;
    const { start } = this.broker.partition(topic, partition);
    const from = simulation.strikes(this.faults.repeated) ? Math.max(start, offset - Math.floor(simulation.time.random() * 8)) : offset;
    const batch = this.broker.next(topic, partition, from, Infinity);
    if (!batch || batch.nextOffset < offset) return undefined;
    if (batch.records.length < 2 || !simulation.strikes(this.faults.truncated)) return batch;
    const kept = 1 + Math.floor(simulation.time.random() * (batch.records.length - 1));
    const next = batch.records[kept]!.offset;
    return next < offset ? batch : { ...batch, records: batch.records.slice(0, kept), nextOffset: next };
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
