import { until } from 'factline/testing';
import { holdPartition } from '../../support/held-partition.js';
import { STOCK_TOPIC, deliver, productsApart, recommendation, stockPartition } from '../../support/stock.js';
import { type Chapter, must, seconds } from '../story.js';

/** Stock is cached; the answers say when nobody knows better any more: all of them, and of one partition alone. */
export const recommendations: Chapter = {
  apps: ['inventory', 'recommendations'],
  tell: async (story, mission) => {
    const [mug, pot] = productsApart('tea-');
    let inventory = await mission.host.start('inventory');
    const { url } = await mission.host.start('recommendations');
    const read = async (product: string) => (await recommendation(url, product)).body;
    const when = (product: string, what: string, is: (body: Record<string, unknown>) => boolean) => until(`${product} to be ${what}`, async () => [await read(product)].find(is));
    const fresh = (product: string, onHand: number) => when(product, `fresh with ${onHand}`, (body) => body['onHand'] === onHand && body['stale'] === false);

    await story.step('Recommend what inventory has in stock, from a cache that its facts evict', async (say) => {
      for (const product of [mug, pot]) await deliver(inventory.url, product, 10);
      for (const product of [mug, pot]) await fresh(product, 10);
      const started = performance.now();
      await deliver(inventory.url, mug, 5);
      await when(mug, 'changed', (body) => body['onHand'] === 15);
      say(`POST /products/${mug}/deliveries, and GET /recommendations/${mug} shows it after ${seconds(performance.now() - started)}`);
      return `15 ${mug}, 10 ${pot}, each with the time as of which nothing is missing`;
    });

    await story.step('Kill inventory with -9, and its relay with it', async (say) => {
      const started = performance.now();
      await inventory.stop('SIGKILL');
      const body = await when(mug, 'stale', ({ stale }) => stale === true);
      must(body['onHand'] === 15, 'the last known stock is not answered');
      say(`GET /recommendations/${mug}: ${JSON.stringify(body)}`);
      const told = seconds(performance.now() - started);
      inventory = await mission.host.start('inventory');
      await fresh(mug, 15);
      return `answers said that they were stale after ${told}, as of when; and were fresh again once inventory was back`;
    });

    await story.step('Cut one partition off', async () => {
      const release = await holdPartition(mission.stack.kafka, STOCK_TOPIC, stockPartition(mug));
      try {
        await deliver(inventory.url, mug, 1);
        await when(mug, 'stale', ({ stale }) => stale === true);
        must((await read(pot))['stale'] === false, `${pot}, on another partition, is stale as well`);
      } finally {
        await release();
      }
      await fresh(mug, 16);
      return `${mug} was stale, ${pot} on another partition was not; then both were fresh`;
    });
  },
};
