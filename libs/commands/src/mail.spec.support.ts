import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, type TopicDeclaration, type WriterSchemas, defineFact } from 'factline/contracts';
import { Signal, silentLogger } from 'factline/kernel';
import { type FactLog, type MemoryBroker, memoryBroker, memoryLog } from 'factline/log';
import { FactOutbox, Relay, migrateOutbox } from 'factline/outbox';
import { LiveReactions, Redriver, migrateReactions } from 'factline/reactions';
import type { Store } from 'factline/store';
import { type World, factSchemaInSpec, selectCommandInSpec, selectInSpec } from 'factline/testing';
import { type CommandHandler, type CommandQueueOptions, Commands, Jobs, commandQueue, defineCommand, migrateCommands } from './index.js';

export interface Mail {
  customerId: string;
  text: string;
}

const FIELDS = [{ name: 'customerId', type: 'string' }, { name: 'text', type: 'string' }];
const PARTITIONS = 3;
const SCHEMA_ID = 2_000_000_200;
export const QUEUE = 'post.mail';
const topic: TopicDeclaration = { name: QUEUE, owner: 'post', keyField: 'customerId', partitions: PARTITIONS, kind: 'commands', settings: {} };
const definition = { factName: 'post.SendMail', topic, keyField: 'customerId', schema: factSchemaInSpec('post.SendMail', FIELDS) } as const;
const selection = { factName: 'post.SendMail', topic: QUEUE, schema: { type: 'record', name: 'SendMail', namespace: 'post', fields: FIELDS }, fingerprint: 'SendMail' };

export const SendMail = defineCommand<Mail, 'customerId'>(definition);
/** As the owner reads it. */
export const SendMailSelected = selectCommandInSpec<Mail>({ ...selection, owner: 'post' });
/** The same as a fact, for what must not be taken for a command. */
export const MailSent = defineFact<Mail, 'customerId'>({ ...definition, factName: 'post.MailSent', topic: { ...topic, name: 'post.sent', kind: 'facts' } });
export const MailSentSelected = selectInSpec<Mail>({ ...selection, factName: 'post.MailSent', topic: 'post.sent' });

const schemaIds = { idOf: () => SCHEMA_ID };
const writers: WriterSchemas = { byId: async () => definition.schema };

/** One process that handles: what it started is what it stops. */
export interface Handling {
  readonly live: LiveReactions;
  readonly redriver: Redriver;
  readonly subscription: FactSubscription;
  stop(): Promise<void>;
}

/** An app that owns a queue: a database of its own, a relay, and a log in memory. */
export class Post {
  readonly log: FactLog;
  readonly outbox: FactOutbox;
  readonly commands: Commands;
  readonly jobs: Jobs;
  readonly #wake = new Signal();
  readonly #relay: Relay;
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor(
    readonly at: World,
    readonly store: Store,
    readonly url: string,
    readonly app: string,
    readonly broker: MemoryBroker,
  ) {
    this.log = memoryLog({ broker });
    this.outbox = new FactOutbox({ store, schemaIds, wake: this.#wake });
    this.commands = new Commands({ app, store, outbox: this.outbox });
    this.jobs = new Jobs(store, app);
    this.#relay = new Relay({ store, log: this.log, app, topics: [topic], wake: this.#wake });
  }

  /** @param app 'post' owns the queue; others send to it, through its broker. */
  static async open(at: World, app = 'post', broker: MemoryBroker = memoryBroker()): Promise<Post> {
    const url = await at.database(app);
    const store = at.store(url);
    await migrateReactions(store);
    await migrateOutbox(store);
    await migrateCommands(store);
    // No constraint: an effect that happens twice has to be seen.
    await store.query('create table mailed (number bigint generated always as identity, customer text not null, text text not null, job uuid not null)');
    const post = new Post(at, store, url, app, broker);
    await post.log.createTopics([{ name: QUEUE, partitions: PARTITIONS }]);
    post.#relay.start();
    return post;
  }

  /** Commits one mail. */
  async send(customer: string, text: string, options: Parameters<Commands['send']>[2] = {}): Promise<string> {
    return (await this.store.transaction((tx) => this.commands.send(tx, SendMail(customer, { text }), options))).job;
  }

  /** Handles the queue as another process would, on connections of its own. @param before runs first: to fail, or to wait. */
  async handle(before: CommandHandler<Mail> = () => undefined, options: Partial<CommandQueueOptions> = {}): Promise<Handling> {
    const queue = commandQueue({ queue: QUEUE, retry: { delay: 5, maxDelay: 20 }, ...options }).on(SendMailSelected, async (command, tx, run) => {
      const result = await before(command, tx, run);
      await tx.query('insert into mailed (customer, text, job) values ($1, $2, $3)', [command.key, command.data.text, run.job]);
      return result;
    });
    const own = this.at.store(this.url);
    const made = queue.reactions({ app: 'post', store: this.store, log: silentLogger });
    const live = new LiveReactions(made, own, new FactDecoder(made.facts, writers));
    await live.prepare();
    const subscription = new FactSubscription({ name: made.name, group: made.name, topics: made.topics, log: this.log, target: live, freshness: new Freshness() });
    const redriver = new Redriver({ reactions: made, inbox: live.inbox, store: own, log: this.log, decoder: new FactDecoder(made.facts, writers) });
    subscription.start();
    redriver.start();
    let stopped: Promise<void> | undefined;
    const stop = () => (stopped ??= Promise.all([subscription.stop(), redriver.stop()]).then(() => queue.close()));
    this.#stops.push(stop);
    return { live, redriver, subscription, stop };
  }

  /** What was mailed, in the order of the effects. */
  async mailed(): Promise<{ customer: string; text: string; job: string }[]> {
    return (await this.store.query<{ customer: string; text: string; job: string }>('select customer, text, job from mailed order by number')).rows;
  }

  async texts(customer: string): Promise<string[]> {
    return (await this.mailed()).filter((mail) => mail.customer === customer).map(({ text }) => text);
  }

  async state(job: string): Promise<string> {
    return (await this.jobs.status(job)).state;
  }

  onClose(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
    await this.#relay.stop();
    await this.outbox.stop();
    await this.log.close();
  }
}

/** Something that is waited for until it is let go. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

