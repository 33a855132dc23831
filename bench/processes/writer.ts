import { Signal, pause } from 'factline/kernel';
import { FactOutbox, Relay } from 'factline/outbox';
import { type Fact, FactEncoder, withSequence } from 'factline/contracts';
import { rawProducer } from '../ceilings.js';
import { PRODUCED, definitionsOn, factMaker } from '../employees.js';
import { PARTITIONS } from '../scene.js';
import { serveChild, sharedNow } from './child.js';
import { type Addresses, type Opened, openConnections } from './connections.js';

export interface WriterArgument extends Addresses {
  /** `outbox`: the fact is stated in the transaction and the relay of this process publishes it. `raw`: kafkajs sends it right after the commit. */
  way: 'outbox' | 'raw';
  /** Transactions a second, first to warm up and then as measured. */
  phases: readonly { rate: number; seconds: number; measured: boolean }[];
  /** Every so many transactions one is told at once, so that it can be looked for in the read model. */
  tellEvery: number;
}

/** One committed transaction; times are those of the clock that all processes share. */
export interface Committed {
  key: string;
  scheduledAt: number;
  committedAt: number;
  measured: boolean;
}

const INSERT = 'insert into business (employee_id, note, amount) values ($1, $2, $3)';
const NEXT_LOOK_MS = 1;

/** A producing app under an open load: transactions begin when they are due, whether or not earlier ones have ended. */
await serveChild<WriterArgument, Committed[]>(async ({ way, phases, tellEvery, ...addresses }, side) => {
  const opened = await openConnections(addresses, PRODUCED);
  const app = way === 'outbox' ? outboxWay(opened) : await rawWay(opened, addresses.kafka);
  const fact = factMaker(opened.topic, PARTITIONS, { keys: 0, each: Number.MAX_SAFE_INTEGER });
  const committed: Committed[] = [];
  const running: Promise<void>[] = [];
  const transact = async (number: number, scheduledAt: number, measured: boolean) => {
    const stated = fact(number, 1);
    await opened.store.transaction(async (tx) => {
      await tx.query(INSERT, [stated.key, 'a business row of this size', number], 'business');
      await app.state(tx, stated);
    });
    const done: Committed = { key: stated.key, scheduledAt, committedAt: sharedNow(), measured };
    committed.push(done);
    if (measured && number % tellEvery === 0) side.tell(done);
    await app.afterCommit(stated);
  };
  side.ready();
  for (const { rate, seconds, measured } of phases) {
    const started = sharedNow();
    for (let count = 0; count < rate * seconds; ) {
      const due = started + (count * 1_000) / rate;
      if (due > sharedNow()) {
        await pause(NEXT_LOOK_MS);
        continue;
      }
      running.push(transact(running.length, due, measured));
      count++;
    }
  }
  await Promise.all(running);
  await side.finished; // the relay goes on until everything was seen
  await app.stop();
  await opened.close();
  return committed;
});

interface Way {
  state(tx: Parameters<FactOutbox['add']>[0], fact: Fact): Promise<unknown>;
  afterCommit(fact: Fact): Promise<unknown>;
  stop(): Promise<void>;
}

function outboxWay({ store, log, schemas, topic }: Opened): Way {
  const topics = [[...definitionsOn(topic, PARTITIONS).values()][0]!.topic];
  const wake = new Signal();
  const outbox = new FactOutbox({ store, schemaIds: schemas, wake });
  const relay = new Relay({ store, log, app: topics[0]!.owner, topics, wake });
  outbox.start();
  relay.start();
  return {
    state: (tx, fact) => outbox.add(tx, fact),
    afterCommit: () => Promise.resolve(),
    stop: async () => {
      await relay.stop();
      await outbox.stop();
    },
  };
}

async function rawWay({ schemas, topic }: Opened, brokers: readonly string[]): Promise<Way> {
  const producer = await rawProducer(brokers);
  const encoder = new FactEncoder();
  const ids = new Map(PRODUCED.map((type) => [type.factName, schemas.idOf(type)]));
  return {
    state: () => Promise.resolve(),
    afterCommit: (fact) => {
      const value = withSequence(encoder.encode(fact, ids.get(fact.type.factName)!).value, 1);
      return producer.send({ topic, acks: -1, messages: [{ key: fact.key, value }] });
    },
    stop: () => producer.disconnect(),
  };
}
