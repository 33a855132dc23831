import { type BlockedKeys, type Checkpoint, Pauses, type ProgressEntry, type SubscriptionTarget, type Trouble, type Work, claimCheckpoints } from 'factline/consumer';
import type { FactDecoder } from 'factline/contracts';
import { FactlineError, type Logger, silentLogger } from 'factline/kernel';
import type { TopicState } from 'factline/log';
import { type Store, identifier } from 'factline/store';
import { BatchEngine } from './batch.js';
import type { Projection } from './projection.js';
import { Tables, readAbout, replayRole, schemaExists, writeAbout } from './tables.js';

/** The live build of a projection as the target of its subscription. */
export class LiveProjection implements SubscriptionTarget {
  readonly #tables: Tables;
  readonly engine: BatchEngine;

  constructor(
    readonly projection: Projection,
    private readonly store: Store,
    decoder: FactDecoder,
    /** Named in advice, so that it can be pasted. */
    private readonly app: string = '<app>',
    logger: Logger = silentLogger,
  ) {
    this.#tables = new Tables(projection, projection.name);
    this.engine = new BatchEngine(projection, this.#tables, decoder, store, ({ topic, partition }, { record, key, error }) => {
      if (error) logger.error({ projection: projection.name, topic, partition, offset: record.offset, key, code: error.code, error: error.message }, 'a fact cannot be applied: it is a dead letter, and its key is blocked');
    });
  }

  /** Makes the empty first generation if there is none; safe when several processes start at once. */
  async prepare(): Promise<void> {
    const role = await replayRole(this.store);
    await this.store.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`factline.projection.${this.projection.name}`]);
      const there = await schemaExists(tx, this.#tables.schema);
      await tx.query(`set local role ${identifier(role)}`);
      if (there) {
        await tx.query(this.#tables.deadLetters.create); // of a build from before there were any
        await tx.query(this.#tables.progress.create);
        return;
      }
      await tx.query(this.#tables.create);
      for (const { sql } of this.#tables.indexes) await tx.query(sql);
      await writeAbout(tx, this.#tables, { generation: 1, version: this.projection.version, fingerprint: this.projection.fingerprint });
    });
  }

  async generation(): Promise<number> {
    return (await readAbout(this.store, this.#tables))?.generation ?? 0;
  }

  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    this.engine.forget();
    await this.prepare();
    const about = await readAbout(this.store, this.#tables);
    if (about?.fingerprint !== this.projection.fingerprint) throw outdated(this.projection, about?.version, this.app);
    return claimCheckpoints(this.store, this.projection.name, about.generation, topics, partitions);
  }

  async apply(checkpoint: Checkpoint, work: Work): Promise<Checkpoint | 'fenced'> {
    try {
      return await this.engine.apply(checkpoint, work);
    } catch (error) {
      throw error instanceof FactlineError && error.code === 'store.outcome-unknown' ? askAgain(error) : error;
    }
  }

  async blocked(): Promise<BlockedKeys> {
    return { keys: await this.#tables.deadLetters.countKeys(this.store), advice: `See why: factline dead-letters list ${this.projection.name} --app ${this.app}; after the repair: factline dead-letters requeue ${this.projection.name} --app ${this.app} --all` };
  }

  paused(): Promise<Trouble | undefined> {
    return new Pauses(this.store).shown(this.projection.name, this.app);
  }

  /** Whoever owns the partition now: what was applied in this generation stays applied. */
  async recordAsOf(entries: readonly ProgressEntry[]): Promise<void> {
    await this.#tables.progress.record(this.store, entries);
  }
}

/** Nobody knows whether the batch was committed, and the next attempt finds out: its compare-and-set does not match what was. */
function askAgain({ code, kind, message }: FactlineError): FactlineError {
  return new FactlineError({ code, kind, retry: true, message, advice: 'Nothing to do: the batch is tried again, and refused if it was committed.' });
}

function outdated(projection: Projection, version: number | undefined, app: string): FactlineError {
  return new FactlineError({
    code: 'projection.outdated',
    kind: 'conflict',
    message: `The read model '${projection.name}' was built by version ${version ?? 'unknown'} of its code, this software is version ${projection.version} with other folds, columns or selected fields.`,
    advice: `It is served as it is and not continued. Rebuild it: factline replay run ${projection.name} --app ${app} (same version, other code? raise the version).`,
    details: { projection: projection.name, fingerprint: projection.fingerprint },
  });
}
