import { type Checkpoint, readCheckpoints } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import type { FactLog } from 'factline/log';
import type { Session, Store } from 'factline/store';
import { BatchEngine } from '../batch.js';
import type { Projection } from '../projection.js';
import { Tables, schemaNames } from '../tables.js';
import { type Vector, catchUp } from './catch-up.js';
import { type RebuildConnections, connect } from './connections.js';
import type { RebuildProgress } from './ledger.js';
import { type Build, onlyTopic, readBuild } from './plan.js';

export interface RebuildOptions {
  projection: Projection;
  connections: RebuildConnections;
  /** URL of the module that exports the projection: then partitions are folded on one thread per core. Without it, on the calling thread. */
  module?: string;
  onProgress?: (progress: RebuildProgress) => void;
  /** Ends the work between batches; what is finished is kept. */
  abort?: AbortSignal;
  /** Rows held in memory per partition before a partition is read in several passes. */
  rowsInMemory?: number;
}

export type BuildName = 'live' | 'next' | 'previous';

/** What the steps of a rebuild share: one projection, its builds, and the connections to work on them. */
export class RebuildContext {
  readonly names: Readonly<Record<BuildName, string>>;
  readonly topic: string;

  private constructor(
    readonly options: RebuildOptions,
    readonly log: FactLog,
    readonly store: Store,
    readonly session: Session,
    readonly decoder: () => FactDecoder,
    private readonly closeConnections: () => Promise<void>,
  ) {
    this.names = schemaNames(options.projection.name);
    this.topic = onlyTopic(options.projection);
  }

  static async open(options: RebuildOptions): Promise<RebuildContext> {
    onlyTopic(options.projection);
    const { log, store, schemas, close } = await connect(options.connections, 'factline replay');
    const session = await store.session().catch(async (error: unknown) => {
      await close();
      throw error;
    });
    return new RebuildContext(options, log, store, session, () => new FactDecoder(options.projection.facts, schemas), close);
  }

  get projection(): Projection {
    return this.options.projection;
  }

  async close(): Promise<void> {
    // Closing a connection frees its locks a moment later; the next command must not meet them.
    if (!this.session.lost) await this.session.query('select pg_advisory_unlock_all()');
    await this.session.close();
    await this.closeConnections();
  }

  tables(name: BuildName): Tables {
    return new Tables(this.projection, this.names[name]);
  }

  build(name: BuildName): Promise<Build | undefined> {
    return readBuild(this.session, this.projection, this.names[name]);
  }

  engine(name: BuildName): BatchEngine {
    return new BatchEngine(this.projection, this.tables(name), this.decoder(), this.store);
  }

  checkpoints(name: BuildName): Promise<Checkpoint[]> {
    return readCheckpoints(this.session, this.names[name]);
  }

  async logEnds(): Promise<Vector> {
    const [topic] = await this.log.describe([this.topic]);
    return new Map(topic!.partitions.map(({ end }, partition) => [partition, end]));
  }

  /** Moves the staged build up to a vector; partitions beyond theirs stay where they are. */
  async moveNextTo(to: Vector): Promise<void> {
    await catchUp(this.log, this.engine('next'), this.session, await this.checkpoints('next'), to);
  }
}
