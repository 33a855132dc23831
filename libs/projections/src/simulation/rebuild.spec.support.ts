import { readCheckpoints } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { pause } from 'factline/kernel';
import { SimulatedLog, type SimulatedProcess } from 'factline/testing/simulation';
import { writers } from '../accounts.spec.support.js';
import { BatchEngine } from '../batch.js';
import { schemaNames } from '../tables.js';
import { catchUp, reaches, vectorOf } from '../rebuild/catch-up.js';
import { type PartitionTask, foldPartitions } from '../rebuild/partition.js';
import { ReadModelStatements } from './read-model.spec.support.js';
import { type Mutation, SimulatedDatabase, SimulatedStore } from './store.spec.support.js';
import { type ReadModelWorld, TOPIC } from './world.spec.support.js';

export interface RebuildOptions {
  mutate?: Mutation;
  /** A process that goes on looks which partitions are loaded. Default true. */
  looks?: boolean;
}

/**
 * A rebuild beside the live model: partitions folded from zero by `foldPartitions` in passes of few keys, then `catchUp`, by processes that may die and are followed by others.
 * The swap happens here at one moment in which nobody holds a lock and the build reaches the live position; its transaction is for the specs on a real database.
 */
export class SimulatedRebuild {
  swapped = false;
  process: SimulatedProcess | undefined;
  readonly #staged: SimulatedDatabase;
  readonly #statements: ReadModelStatements;
  #tasks: PartitionTask[] | undefined;
  #started = 0;

  constructor(
    private readonly world: ReadModelWorld,
    private readonly options: RebuildOptions = {},
  ) {
    this.#statements = new ReadModelStatements(world.model, schemaNames(world.model.name).next);
    this.#staged = new SimulatedDatabase(this.#statements);
  }

  /** Starts the next process, which goes on where the one before was. */
  start(): void {
    if (this.swapped) return;
    this.process?.kill();
    const process = this.world.simulation.process(`rebuild ${++this.#started}`);
    this.process = process;
    this.#run(process).catch((error: unknown) => {
      this.world.simulation.later('the rebuild failed', () => {
        throw error;
      });
    });
  }

  async #run(process: SimulatedProcess): Promise<void> {
    while (!this.swapped) {
      try {
        await this.#rebuild(process);
      } catch {
        this.world.reached.add('a rebuild called again');
        await pause(100); // somebody calls it again
      }
    }
  }

  async #rebuild(process: SimulatedProcess): Promise<void> {
    const { broker, model, options } = this.world;
    const log = new SimulatedLog(process, broker, options.log);
    const { store, session } = new SimulatedStore(process, this.#staged, options.database ?? { refused: 0, answerLost: 0 }, this.options.mutate);
    const decoder = new FactDecoder(model.facts, writers);
    const { tables } = this.#statements;
    const topic = (await log.describe([TOPIC]))[0]!;
    this.#tasks ??= topic.partitions.map(({ end }, partition) => ({ topic: TOPIC, topicId: topic.id, partition, end, generation: 2, givenUp: [] }));
    const loaded = this.options.looks === false ? [] : await readCheckpoints(store, tables.schema);
    const tasks = this.#tasks.filter(({ partition }) => !loaded.some((each) => each.partition === partition));
    if (tasks.length < this.#tasks.length) this.world.reached.add('a rebuild that went on');
    await foldPartitions({ projection: model, tables, decoder, log, session, progress: () => undefined, rowsInMemory: 1 }, async () => tasks.shift());
    const engine = new BatchEngine(model, tables, decoder, store);
    while (!this.swapped) {
      const ends = (await log.describe([TOPIC]))[0]!.partitions.map(({ end }, partition) => [partition, end] as const);
      await catchUp(log, engine, store, await readCheckpoints(store, tables.schema), new Map(ends));
      await process.request('swap', () => this.#swap());
    }
  }

  #swap(): void {
    const { database } = this.world;
    const staged = this.#staged.build;
    const vector = (rows: typeof staged.checkpoints.rows) => vectorOf([...rows.values()].map(({ partition, next_offset: offset }) => ({ partition, nextOffset: Number(offset) }) as Parameters<typeof vectorOf>[0][number]));
    if (!database.quiet || !this.#staged.quiet || !reaches(vector(staged.checkpoints.rows), vector(database.build.checkpoints.rows))) return;
    database.build = staged.copy();
    database.build.generation = 2;
    database.build.torn = [...staged.torn];
    this.swapped = true;
    this.world.reached.add('a swap');
  }
}
