import { type FactLog, kafkaLog, partitionOf } from 'factline/log';
import { topicRecords, until } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { inParallel } from '../../support/hr-client.js';
import type { Mission } from '../../support/mission.js';
import { ask } from '../../support/rest.js';
import { type Chapter, type Story, must, seconds } from '../story.js';

const CALLERS = 8;
const DELIVERED = 200;
const CUSTOMERS = 100;
const LATE_CUSTOMERS = 40;
const LAST_PIECES = 5;
const RUSH = 20;
const [ORDERS, STOCK] = ['orders.order', 'inventory.product'];

interface Scene {
  mission: Mission;
  orders: RunningApp;
  inventory: RunningApp;
}

/** Customers pay, inventory takes out of the stock: orders killed before it has published, every fact sent again, more customers than pieces, orders cancelled. */
export const shop: Chapter = {
  apps: ['orders', 'inventory'],
  tell: async (story, mission) => {
    const scene = await startApps(story, mission);
    await sell(story, scene);
    await killOrdersBeforeItPublishes(story, scene);
    await sendEverythingAgain(story, scene);
    await sellMoreThanThereIs(story, scene);
    await cancelSome(story, scene);
  },
};

async function startApps(story: Story, mission: Mission): Promise<Scene> {
  let scene: Scene | undefined;
  await story.step('Start orders and inventory, each a process with its own database', async () => {
    const [orders, inventory] = [await mission.host.start('orders'), await mission.host.start('inventory')];
    scene = { mission, orders, inventory };
    return `orders (pid ${orders.pid}) at ${orders.url}/docs, inventory (pid ${inventory.pid}) at ${inventory.url}/docs`;
  });
  return scene!;
}

async function sell(story: Story, scene: Scene): Promise<void> {
  await story.step(`Deliver ${DELIVERED} mugs; ${CUSTOMERS} customers order one each, and pay`, async (say) => {
    await deliver(scene, 'mug', DELIVERED);
    const started = performance.now();
    await buy(scene, 'mug', ids('first', CUSTOMERS));
    say(`${CUSTOMERS} POST /orders and as many payments in ${seconds(performance.now() - started)}`);
    await until('the stock to be right', async () => (await onHand(scene, 'mug')) === DELIVERED - CUSTOMERS);
    return `${DELIVERED - CUSTOMERS} mugs are left: one for each payment is gone`;
  });
}

async function killOrdersBeforeItPublishes(story: Story, scene: Scene): Promise<void> {
  const { mission } = scene;
  await story.step(`Kill orders with -9 after ${LATE_CUSTOMERS} payments are committed and before any is published`, async (say) => {
    await scene.orders.stop();
    scene.orders = await mission.host.start('orders', { ORDERS_RELAY: 'off' });
    await buy(scene, 'mug', ids('late', LATE_CUSTOMERS));
    await scene.orders.stop('SIGKILL');
    const { output } = await mission.factline(['outbox', 'status', '--app', 'orders', '--json']);
    const { pending } = JSON.parse(output) as { pending: { rows: number } };
    must(pending.rows >= 2 * LATE_CUSTOMERS, `only ${pending.rows} facts wait in the outbox`);
    must((await onHand(scene, 'mug')) === DELIVERED - CUSTOMERS, 'the stock changed although nothing was published');
    say(`orders is gone; ${pending.rows} facts wait in its outbox, none is in the topic`);
    const started = performance.now();
    scene.orders = await mission.host.start('orders');
    await until('the late orders to be taken out', async () => (await onHand(scene, 'mug')) === left());
    return `${left()} mugs are left ${seconds(performance.now() - started)} after its start: no payment was forgotten, none counted twice`;
  });
}

async function sendEverythingAgain(story: Story, scene: Scene): Promise<void> {
  await story.step('Send every fact of orders a second time, as a relay may after a crash', async (say) => {
    await until('the facts about mugs to be published', async () => (await statedOf(scene, 'mug')) === 1 + CUSTOMERS + LATE_CUSTOMERS);
    say(`${await republish(scene)} records were put behind the others in ${ORDERS}, byte by byte the same`);
    await handled(scene);
    await deliver(scene, 'mug', 1);
    await until('a fact behind them all', async () => (await statedOf(scene, 'mug')) > 1 + CUSTOMERS + LATE_CUSTOMERS);
    must((await onHand(scene, 'mug')) === left() + 1, 'a repeated fact changed the stock');
    must((await statedOf(scene, 'mug')) === 2 + CUSTOMERS + LATE_CUSTOMERS, 'a repeated fact was answered with another one');
    return `still ${left()} mugs and one more that was delivered since, and nothing else was stated about mugs`;
  });
}

async function sellMoreThanThereIs(story: Story, scene: Scene): Promise<void> {
  await story.step(`${RUSH} customers pay at once for the last ${LAST_PIECES} vases`, async () => {
    await deliver(scene, 'vase', LAST_PIECES);
    await buy(scene, 'vase', ids('rush', RUSH), RUSH);
    await until('each of them to be answered', async () => (await statedOf(scene, 'vase')) === 1 + RUSH);
    must((await onHand(scene, 'vase')) === 0, 'the stock is not 0');
    return `0 vases: ${LAST_PIECES} orders got one, ${RUSH - LAST_PIECES} were answered DeductionRefused; never below zero`;
  });
}

async function cancelSome(story: Story, scene: Scene): Promise<void> {
  await story.step(`All ${RUSH} customers cancel`, async () => {
    await inParallel(ids('rush', RUSH), CALLERS, async (id) => {
      must((await ask(`${scene.orders.url}/orders/${id}/cancellation`, 'POST', { reason: 'CHANGED_MIND' })).status === 200, `${id} could not be cancelled`);
    });
    await until('the cancellations to be published', async () => (await records(scene, ORDERS)).filter(({ key }) => key.toString().startsWith('rush-')).length >= 3 * RUSH);
    await handled(scene);
    must((await onHand(scene, 'vase')) === LAST_PIECES, 'an order put back what it never had');
    return `${LAST_PIECES} vases again: only what was taken came back`;
  });
}

const left = () => DELIVERED - CUSTOMERS - LATE_CUSTOMERS;
const ids = (name: string, customers: number) => Array.from({ length: customers }, (_, nth) => `${name}-${nth + 1}`);

async function deliver({ inventory }: Scene, product: string, quantity: number): Promise<void> {
  must((await ask(`${inventory.url}/products/${product}/deliveries`, 'POST', { quantity })).status === 201, `${product} could not be delivered`);
}

async function buy({ orders }: Scene, productId: string, orderIds: readonly string[], callers = CALLERS): Promise<void> {
  const order = { customerId: 'c-1', currency: 'EUR', lines: [{ productId, quantity: 1, unitPriceCents: 1_250 }] };
  await inParallel(orderIds, callers, async (id) => {
    must((await ask(`${orders.url}/orders`, 'POST', { id, ...order })).status === 201, `${id} could not be placed`);
    must((await ask(`${orders.url}/orders/${id}/payments`, 'POST', { amountCents: 1_250, cardCountry: 'DE' })).status === 200, `${id} could not be paid`);
  });
}

const onHand = async ({ inventory }: Scene, product: string) => (await ask(`${inventory.url}/products/${product}`)).body['onHand'];

/** Inventory has looked at every fact of orders that is in the topic now. */
async function handled(scene: Scene): Promise<void> {
  const [state] = await withLog(scene, (log) => log.describe([ORDERS]));
  await until('inventory to have read everything', async () => {
    const { body } = await ask(`${scene.inventory.url}/health`);
    const [{ partitions }] = body['reactions'] as [{ partitions: { partition: number; nextOffset: number }[] }];
    return state!.partitions.every(({ end }, partition) => end === 0 || partitions.some((each) => each.partition === partition && each.nextOffset >= end));
  });
}

async function withLog<T>({ mission }: Scene, work: (log: FactLog) => Promise<T>): Promise<T> {
  const log = kafkaLog({ brokers: mission.stack.kafka, clientId: 'demo' });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

function records(scene: Scene, topic: string) {
  return withLog(scene, (log) => topicRecords(log, topic));
}

/** Facts that inventory has published. */
async function statedOf(scene: Scene, product: string): Promise<number> {
  return (await records(scene, STOCK)).filter(({ key }) => key.toString() === product).length;
}

async function republish(scene: Scene): Promise<number> {
  const all = await records(scene, ORDERS);
  await withLog(scene, async (log) => {
    const [state] = await log.describe([ORDERS]);
    const publisher = await log.publisher();
    for (const [partition] of state!.partitions.entries()) {
      const here = all.filter(({ key }) => partitionOf(key, state!.partitions.length) === partition);
      if (here.length > 0) await publisher.send(ORDERS, partition, here);
    }
    await publisher.close();
  });
  return all.length;
}
