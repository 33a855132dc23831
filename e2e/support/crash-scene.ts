import { resolve } from 'node:path';
import { claimCheckpoints } from 'factline/consumer';
import { messageOf } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import { FactOutbox, Relay } from 'factline/outbox';
import { type Store, identifier, tableExists } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { openDatabase, openTopic } from '../../bench/scene.js';
import type { ConsumerRole, CrashChildArgument, RelayRole } from './crash-child.js';
import { type TallyRow, topicFaults } from './effect-once.js';
import { type StatedFact, statedFacts } from './employee-topic.js';
import { Ledger } from './ledger.js';
import { Program, nodeCommand } from './program.js';
import { ROOT } from './root.js';
import { movedOn } from './tally.js';

const CHILD = resolve(ROOT, 'dist/e2e/support/crash-child.js');

/** A database with all tables of the product, in which the scenes of one spec follow each other: what one leaves is the past of the next. */
export interface CrashSite {
  store: Store;
  /** A topic of its own, and a read model of it under this name. */
  scene(name: string): Promise<CrashScene>;
  /** Ends what the scene left running, however it ended: one relay at a time owns the outbox. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

interface Ground {
  at: World;
  databaseUrl: string;
  store: Store;
  log: FactLog;
  /** Told of everything that runs until it is stopped. */
  running(stop: () => Promise<unknown>): void;
}

/** @param env where the stack's addresses are, when it is not the one all specs share. */
export async function crashSite(env?: Readonly<Record<string, string>>): Promise<CrashSite> {
  const at = await world(env);
  const log = at.log();
  const { databaseUrl, store, idOf } = await openDatabase(at, 'crash');
  const outbox = new FactOutbox({ store, schemaIds: { idOf } });
  const stops: (() => Promise<unknown>)[] = [];
  const clear = async () => void (await Promise.all(stops.splice(0).map((stop) => stop())));
  at.onClose(clear);
  const ground: Ground = { at, databaseUrl, store, log, running: (stop) => void stops.push(stop) };
  return { store, scene: async (name) => new CrashScene(ground, name, await openTopic(at, log, name), outbox), clear, close: () => at.close() };
}

/** One topic, everything stated to it, the processes that publish and apply it, and what they made of it. */
export class CrashScene {
  readonly ledger: Ledger;
  #consumers = 0;

  constructor(
    private readonly ground: Ground,
    readonly name: string,
    readonly topic: string,
    outbox: FactOutbox,
  ) {
    this.ledger = new Ledger(ground.store, outbox, movedOn(topic));
  }

  /** The relay's process. @param shell what a shell does before it becomes that process. */
  relay(points: Omit<RelayRole, 'role'> = {}, shell?: string): Program {
    return this.#start({ role: 'relay', ...points }, shell);
  }

  /**
   * The consumer's process. Each has a group of its own, so that it need not wait until the broker has given up on the killed one: 10 s of session timeout.
   * Nothing rests on the group, because positions come from the database.
   */
  consumer(crashAt?: ConsumerRole['crashAt'], target: ConsumerRole['target'] = 'read-model', shell?: string): Program {
    const group = `${this.topic}.${++this.#consumers}`;
    return this.#start({ role: 'consumer', group, name: this.name, target, ...(crashAt && { crashAt }) }, shell);
  }

  /** One that shares the partitions with others of its group. */
  member(group: string): Program {
    return this.#start({ role: 'consumer', group, name: this.name, target: 'read-model' });
  }

  /** Publishes from this process, until the answered function is called. */
  publish(): () => Promise<void> {
    const declared = movedOn(this.topic).topic;
    const relay = new Relay({ store: this.ground.store, log: this.ground.log, app: declared.owner, topics: [declared] });
    this.ground.running(() => relay.stop());
    relay.start();
    return () => relay.stop();
  }

  /** The topic as it is when no committed fact is missing from it, whatever else may be wrong with it. Throws with what the relay's process said when one stays missing. */
  async published(relay?: Program): Promise<StatedFact[]> {
    let missing: string[] = [];
    const look = async () => {
      const found = await this.stated();
      missing = topicFaults(this.ledger.committed, found, 0).filter((fault) => fault.endsWith('is missing'));
      if (missing.length > 0 && relay?.running === false) throw new Error(`The relay of ${this.topic} ended before its time.`);
      return missing.length === 0 ? found : undefined;
    };
    return until(`every committed fact on ${this.topic}`, look).catch((error: unknown) => {
      const state = relay && `\nThe relay's process ${relay.running ? 'runs' : 'has ended'} and said:\n${relay.tail}`;
      throw new Error(`${messageOf(error)} ${missing.join('; ')}${state ?? ''}`);
    });
  }

  stated(): Promise<StatedFact[]> {
    return statedFacts({ world: this.ground.at, prefix: '' }, this.topic);
  }

  /** The table as it is when this consumer owns the partitions and the checkpoints have reached the end of the topic. */
  async appliedBy(consumer: Program): Promise<TallyRow[]> {
    const [topic] = await this.ground.log.describe([this.topic]);
    await until(`${this.name} to have applied everything`, async () => {
      if (!consumer.lines.some(({ claimed }) => claimed)) return false;
      const checkpoints = await this.#checkpoints();
      return topic!.partitions.every(({ end }, partition) => checkpoints.find((each) => each.partition === partition)?.nextOffset === end);
    });
    return this.rows();
  }

  async rows(): Promise<TallyRow[]> {
    const { rows } = await this.ground.store.query<TallyRow>(
      `select key, facts, last_sequence::double precision as "lastSequence", cents::double precision as cents from ${this.#in(this.name)}`,
    );
    return rows;
  }

  /** None before the first claim has made the tables. */
  async #checkpoints(): Promise<{ partition: number; nextOffset: number }[]> {
    if (!(await tableExists(this.ground.store, this.#in('checkpoint')))) return [];
    const { rows } = await this.ground.store.query<{ partition: number; nextOffset: number }>(
      `select partition, next_offset::double precision as "nextOffset" from ${this.#in('checkpoint')}`,
    );
    return rows;
  }

  /** Takes the partitions over, as a successor does. */
  async claim(): Promise<void> {
    const topics = await this.ground.log.describe([this.topic]);
    const partitions = topics[0]!.partitions.map((_state, partition) => ({ topic: this.topic, partition }));
    await claimCheckpoints(this.ground.store, this.name, 1, topics, partitions);
  }

  /** Lets the table be read and not written. @returns what ends that. */
  async holdTable(): Promise<() => Promise<void>> {
    const session = await this.ground.store.session();
    this.ground.running(() => session.close());
    await session.query('begin');
    await session.query(`lock table ${this.#in(this.name)} in share mode`);
    return () => session.close();
  }

  /** The server processes that hold back a statement of the consumer, once there is one for every partition with facts. */
  async effectsHeldBack(): Promise<number[]> {
    const [topic] = await this.ground.log.describe([this.topic]);
    const wanted = topic!.partitions.filter(({ end }) => end > 0).length;
    return until(`${wanted} statements of ${this.name} to wait for a lock`, async () => {
      const { rows } = await this.ground.store.query<{ pid: number }>(
        `select pid from pg_stat_activity
          where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0 and starts_with(query, 'with moved as') order by pid`,
      );
      return rows.length === wanted ? rows.map(({ pid }) => pid) : undefined;
    });
  }

  #in(table: string): string {
    return `${identifier(this.name)}.${identifier(table)}`;
  }

  #start(role: RelayRole | ConsumerRole, shell?: string): Program {
    const { at, databaseUrl } = this.ground;
    const argument: CrashChildArgument = { kafka: at.kafka, registryUrl: at.registryUrl, databaseUrl, topic: this.topic, ...role };
    const program = new Program(...nodeCommand(['--enable-source-maps', CHILD, JSON.stringify(argument)], shell), { environment: {}, cwd: ROOT });
    this.ground.running(() => program.stop('SIGKILL'));
    return program;
  }
}

/** The point at which a process killed itself. Throws when it ended in another way, or did not end. */
export async function killedAt(program: Program): Promise<unknown> {
  const died = async () => (program.running ? undefined : await program.ended);
  const { code, signal } = await until(`process ${program.pid} to kill itself`, died).catch((error: unknown) => {
    throw new Error(`${messageOf(error)} It said:\n${program.tail}`);
  });
  if (signal === 'SIGKILL') return program.lines.at(-1)?.['reached'];
  throw new Error(`Process ${program.pid} ended with ${signal ?? code} instead of being killed. It said:\n${program.tail}`);
}

/** When none of these server processes is left. */
export async function goneFrom(store: Store, pids: readonly number[]): Promise<void> {
  await until('the sessions of a dead process to end', async () => {
    const { rows } = await store.query<{ left: number }>('select count(*)::integer as left from pg_stat_activity where pid = any($1)', [pids]);
    return rows[0]!.left === 0;
  });
}
