import { FactSubscription, Freshness, type SubscriptionTarget, followWatermarks } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { type Logger, silentLogger } from 'factline/kernel';
import { LiveProjection } from 'factline/projections';
import { Relay, type RelayPoint } from 'factline/outbox';
import { type Addresses, type Opened, openConnections } from '../../bench/processes/connections.js';
import { type At, crashing, nthTime, say } from './crash-points.js';
import { HandWrittenTally, movedOn, tally } from './tally.js';

/** Points around the calls of a subscription to its target. */
export type ConsumerPoint = 'claimed' | 'before-effect' | 'effect-committed' | 'as-of-recorded';

export interface RelayRole {
  role: 'relay';
  /** Facts of a page; so few, unless said otherwise, that a wave of facts is several pages. */
  page?: number;
  crashAt?: At<RelayPoint['name']>;
  /** Begins to stop in order here, as it does on SIGTERM. */
  stopAt?: At<RelayPoint['name']>;
  /** Stops itself with SIGSTOP at this very statement, with what it has in hand, until SIGCONT. */
  freezeAt?: At<RelayPoint['name']>;
  /** Its ticks stand still here; its heartbeat, and with it the turning of the slots, goes on. */
  holdAt?: At<RelayPoint['name']>;
}

export interface ConsumerRole {
  role: 'consumer';
  group: string;
  /** Of the schema and the table. */
  name: string;
  target: 'read-model' | 'by-hand-with-the-effect' | 'by-hand-apart';
  crashAt?: At<ConsumerPoint>;
}

export type CrashChildArgument = Addresses & (RelayRole | ConsumerRole);

/** A wave of facts is several of these pages, and turns the slots within two heartbeats. */
const PAGE = 5;
const ROTATION = { rows: 10, afterMs: 600_000 };

const tell = (fields: object, message: string) => console.error(message, fields);
const logger: Logger = { ...silentLogger, warn: tell, error: tell };

const asked = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));

async function relay({ log, store, topic }: Opened, { page = PAGE, crashAt, stopAt, freezeAt, holdAt }: RelayRole): Promise<void> {
  const crash = crashing(crashAt);
  let stop!: () => void;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const leave = nthTime(stopAt, stop);
  const freeze = nthTime(freezeAt, () => {
    say({ reached: freezeAt!.name });
    process.kill(process.pid, 'SIGSTOP');
  });
  let held: Promise<void> | undefined;
  const hold = nthTime(holdAt, () => {
    held = new Promise(() => undefined);
  });
  const declared = movedOn(topic).topic;
  const running = new Relay({
    store,
    log,
    app: declared.owner,
    topics: [declared],
    batchSize: page,
    rotation: ROTATION,
    observe: ({ name }) => {
      crash(name);
      freeze(name);
      leave(name);
      hold(name);
      return name === holdAt?.name ? held : undefined;
    },
    logger,
  });
  running.start();
  await Promise.race([asked, stopped]);
  await running.stop();
}

async function consumer({ log, store, schemas, topic }: Opened, { group, name, target, crashAt }: ConsumerRole): Promise<void> {
  const crash = crashing(crashAt);
  const projection = tally(name, topic);
  const model =
    target === 'read-model'
      ? new LiveProjection(projection, store, new FactDecoder(projection.facts, schemas))
      : new HandWrittenTally(name, topic, store, schemas, target === 'by-hand-apart' ? 'apart' : 'with-the-effect', () => crash('effect-committed'));
  const freshness = new Freshness();
  const subscription = new FactSubscription({ name, group, topics: projection.topics, log, target: watched(model, crash), freshness, logger });
  const end = new AbortController();
  subscription.start();
  const following = followWatermarks(log, freshness, end.signal, logger);
  await asked;
  end.abort();
  await Promise.all([subscription.stop(), following]);
}

/** The target with its points; a method that SubscriptionTarget gains is missing here until it is given one. */
function watched(target: SubscriptionTarget, crash: (name: ConsumerPoint) => void): SubscriptionTarget {
  return {
    generation: () => target.generation(),
    claim: async (topics, partitions) => {
      const checkpoints = await target.claim(topics, partitions);
      say({ claimed: checkpoints.length });
      crash('claimed');
      return checkpoints;
    },
    apply: async (checkpoint, work) => {
      crash('before-effect');
      const result = await target.apply(checkpoint, work);
      // The one kept by hand says it itself: between its two commits, when it has two.
      if (target instanceof LiveProjection && result !== 'fenced') crash('effect-committed');
      return result;
    },
    recordAsOf: async (entries) => {
      await target.recordAsOf(entries);
      crash('as-of-recorded');
    },
  };
}

const argument = JSON.parse(process.argv[2]!) as CrashChildArgument;
const opened = await openConnections(argument, argument.role === 'relay' ? [movedOn(argument.topic)] : []);
await (argument.role === 'relay' ? relay(opened, argument) : consumer(opened, argument));
await opened.close();
