import { FactlineError, newId } from 'factline/kernel';
import { type MemoryBroker, type TopicState, memoryBroker } from 'factline/log';
import type { Executor } from 'factline/store';
import { type LogFaults, SimulatedCheckpoints, SimulatedLog, type SimulatedProcess, type Simulation } from 'factline/testing/simulation';
import { type Checkpoint, FactSubscription, Freshness, type SubscriptionTarget, type Work, advanceCheckpoint, claimCheckpoints } from '../index.js';

const TOPIC = 'accounts';
const PARTITIONS = 2;

export interface Disturbance {
  /** Turns of the schedule before it. */
  after: number;
  kind: 'kill a member' | 'rebalance' | 'swap' | 'leave a hole' | 'stop a member';
}

export interface WorldOptions {
  log?: Partial<LogFaults>;
  /** Probabilities, by statement: it fails, or it has its effect and the answer is lost. */
  database?: { refused: number; answerLost: number };
  /** Changes a statement on its way: how a control takes away what keeps a guarantee. */
  mutate?: (text: string) => string;
  /** Between a member and its target. */
  through?: (target: SubscriptionTarget) => SubscriptionTarget;
}

export interface Verdict {
  skipped: number;
  doubled: number;
  disordered: number;
}

/** The read model's database, as all members share it: checkpoints by the statements of this lib, and the offsets in effect. */
class Model {
  generation = 1;
  readonly checkpoints = new SimulatedCheckpoints();
  readonly effects = Array.from({ length: PARTITIONS }, () => [] as number[]);
}

class SimulatedTarget implements SubscriptionTarget {
  constructor(
    private readonly process: SimulatedProcess,
    private readonly model: Model,
    private readonly options: WorldOptions,
  ) {}

  generation(): Promise<number> {
    return this.#request('generation', () => this.model.generation);
  }

  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    const generation = await this.generation();
    return claimCheckpoints(this.#database, 'model', generation, topics, partitions);
  }

  /** Effect and checkpoint at one moment, as in one statement. */
  apply(checkpoint: Checkpoint, work: Work): Promise<Checkpoint | 'fenced'> {
    const { topic, partition, nextOffset, generation, epoch } = checkpoint;
    const last = work.records.at(-1)!;
    const lastFactId = Buffer.from(last.value!.subarray(5, 21));
    return this.#request(`apply ${work.records.length} to ${partition}`, () => {
      const moved = this.#answer(advanceCheckpoint('model'), [topic, partition, nextOffset, generation, epoch, work.nextOffset, last.offset, lastFactId]);
      if (moved.length === 0) return 'fenced';
      this.model.effects[partition]!.push(...work.records.map(({ offset }) => offset));
      return { ...checkpoint, nextOffset: work.nextOffset, lastOffset: last.offset, lastFactId };
    });
  }

  async recordAsOf(): Promise<void> {
    await this.#request('as-of', () => undefined);
  }

  readonly #database: Executor = {
    query: <Row>(text: string, values: readonly unknown[] = []) =>
      this.#request(text.trim().slice(0, 40), () => {
        const rows = this.#answer(text, values);
        return { rows: rows as Row[], rowCount: rows.length };
      }),
  };

  #answer(text: string, values: readonly unknown[]): object[] {
    const rows = this.model.checkpoints.answer(this.options.mutate?.(text) ?? text, values);
    if (!rows) throw new Error(`This statement is not simulated: ${text}`);
    return rows;
  }

  #request<T>(label: string, effect: () => T): Promise<T> {
    const { refused, answerLost } = this.options.database ?? { refused: 0, answerLost: 0 };
    return this.process.request(label, () => {
      if (this.process.simulation.strikes(refused)) throw unavailable();
      const result = effect();
      if (this.process.simulation.strikes(answerLost)) throw unavailable();
      return result;
    });
  }
}

function unavailable(): FactlineError {
  return new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The connection to the database is lost.' });
}

/** Members of one group, one read model, one broker. */
export class ConsumerWorld {
  readonly reached = new Set<string>();
  readonly broker: MemoryBroker = memoryBroker();
  readonly #model = new Model();
  readonly #members: { process: SimulatedProcess; log: SimulatedLog; subscription: FactSubscription }[] = [];
  #started = 0;

  constructor(
    readonly simulation: Simulation,
    private readonly options: WorldOptions = {},
  ) {
    this.broker.create([{ name: TOPIC, partitions: PARTITIONS }]);
  }

  startMember(): void {
    const process = this.simulation.process(`member ${++this.#started}`);
    const log = new SimulatedLog(process, this.broker, this.options.log);
    const simulated = new SimulatedTarget(process, this.#model, this.options);
    const target = this.options.through?.(simulated) ?? simulated;
    const subscription = new FactSubscription({ name: 'accounts', group: 'g', topics: [TOPIC], log, target, freshness: new Freshness() });
    subscription.start();
    this.#members.push({ process, log, subscription });
  }

  async publish(partition: number, count: number): Promise<void> {
    await this.simulation.turn(`${count} facts in ${partition}`);
    this.broker.append(TOPIC, partition, Array.from({ length: count }, () => ({ key: Buffer.from('k'), value: fact() })));
  }

  async disturb({ after, kind }: Disturbance): Promise<void> {
    for (let turn = 0; turn < after; turn++) await this.simulation.turn('nothing happens');
    const member = this.simulation.pick(this.#alive());
    if (kind === 'rebalance') member.log.evict();
    if (kind === 'leave a hole') this.broker.leaveHole(TOPIC, this.simulation.pick([0, 1]), 3);
    if (kind === 'swap') this.#model.checkpoints.swap(++this.#model.generation, this.broker.describe([TOPIC])[0]!);
    if (kind === 'kill a member') member.process.kill();
    if (kind === 'stop a member') {
      await member.subscription.stop();
      member.process.kill();
    }
    if (this.#alive().length === 0) this.startMember();
  }

  complete(): boolean {
    return this.#model.effects.every((offsets, partition) => offsets.length >= this.broker.partition(TOPIC, partition).records.length);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#alive().map(({ subscription }) => subscription.stop()));
  }

  judge(): Verdict {
    const verdict = { skipped: 0, doubled: 0, disordered: 0 };
    for (const [partition, offsets] of this.#model.effects.entries()) {
      const inEffect = new Set(offsets);
      verdict.skipped += this.broker.partition(TOPIC, partition).records.filter(({ offset }) => !inEffect.has(offset)).length;
      verdict.doubled += offsets.length - inEffect.size;
      verdict.disordered += offsets.filter((offset, at) => at > 0 && offset < offsets[at - 1]!).length;
    }
    for (const { subscription } of this.#members) {
      if (subscription.status.counts.fenced > 0) this.reached.add('a commit refused');
      if (subscription.status.counts.rebalances > 1) this.reached.add('a partition taken away');
    }
    return verdict;
  }

  #alive() {
    return this.#members.filter(({ process }) => process.alive);
  }
}

/** The smallest value that is a fact: an id and sequence 1. */
function fact(): Buffer {
  const value = Buffer.alloc(22);
  newId().copy(value, 5);
  value[21] = 2;
  return value;
}
