import { kafkaLog, partitionOf } from 'factline/log';
import { withSequence } from 'factline/contracts';
import { openService } from 'factline/nest';
import { FactOutbox, Relay, type RelayPoint, type Stated, statedFact } from 'factline/outbox';
import { Store } from 'factline/store';
import { readConfig } from '../../apps/orders/src/config.js';
import { OrderPlaced } from '../../apps/orders/src/contracts.generated.js';
import { OrdersModule } from '../../apps/orders/src/orders.module.js';
import { type At, crashing, nthTime } from './crash-points.js';

/** In a request: when its fact is written and nothing is committed, and when the commit was answered and nothing else is done. */
export type RequestPoint = 'stated' | 'committed';
export type OrdersPoint = RequestPoint | RelayPoint['name'];

export interface OrdersCrashArgument {
  crashAt?: At<OrdersPoint>;
  /** Begins to stop publishing here, in order. */
  stopAt?: At<RelayPoint['name']>;
  /** `directly`: without a relay, each fact is sent once its transaction has committed, as services do that have no outbox. */
  publishes: 'by-relay' | 'directly';
}

/** So few facts in a page, and rows in a slot, that a dozen orders are several of both. */
const SMALL = { batchSize: 5, rotation: { rows: 10, afterMs: 600_000 } };

/*
 * orders as it is, with REST, service, decider and outbox, in a process that kills itself at a named point. Its relay is made here, because only here it is watched; it
 * begins at SIGUSR2, so that facts wait when it does.
 */
const { crashAt, stopAt, publishes } = JSON.parse(process.argv[2]!) as OrdersCrashArgument;
const config = readConfig({ ...process.env, ORDERS_RELAY: 'off' });
const service = await openService(OrdersModule, config);
const [store, outbox] = [service.app.get(Store), service.app.get(FactOutbox)];
const log = kafkaLog({ brokers: config.brokers, clientId: 'orders' });
const crash = crashing(crashAt);
const { topic } = OrderPlaced;

const add = outbox.add.bind(outbox);
outbox.add = async (tx, fact) => {
  const stated = await add(tx, fact);
  crash('stated');
  tx.onCommit(() => {
    crash('committed');
    if (publishes === 'directly') sent = sent.then(() => send(stated)).catch((error: unknown) => console.error('not sent', error));
  });
  return stated;
};

let sent = Promise.resolve();
/** The outbox is only where the bytes are: nobody relays them. */
async function send({ id, key, sequence }: Stated): Promise<void> {
  const { value } = (await statedFact(store, id))!;
  const publisher = await log.publisher();
  await publisher.send(topic.name, partitionOf(Buffer.from(key), topic.partitions), [{ key: Buffer.from(key), value: withSequence(value, sequence) }]);
  await publisher.close();
}

const relay = new Relay({
  store,
  log,
  app: 'orders',
  topics: [topic],
  ...SMALL,
  observe: ({ name }) => {
    crash(name);
    leave(name);
  },
});
const leave = nthTime(stopAt, () => void relay.stop().catch((error: unknown) => console.error('not stopped', error)));

process.once('SIGUSR2', () => {
  if (publishes === 'by-relay') relay.start();
});
process.once('SIGTERM', () => {
  void relay
    .stop()
    .then(() => service.close())
    .then(() => log.close())
    .catch((error: unknown) => console.error('not stopped', error));
});
