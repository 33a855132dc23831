import { factOwner, until, world } from 'factline/testing';
import { stackEnvironment } from 'factline/stack';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import type { Mission } from '../../support/mission.js';
import { Sales, SalesReaders, type SoldDay, readSales } from '../../support/sales.js';
import { type Chapter, type Story, must } from '../story.js';

const ORDERS = 2_000;

/** reporting sums up sales by day; then "sold" gets another meaning, and the past is reckoned anew while readers read. */
export const reporting: Chapter = {
  apps: ['reporting'],
  tell: async (story, mission) => {
    const here = await world({ ...stackEnvironment(mission.stack) });
    try {
      const sales = new Sales(await factOwner(here, 'orders'), here, Number.parseInt(here.name.slice(1), 16));
      const app = await sellEverything(story, mission, sales);
      await changeTheDefinition(story, mission, app, sales);
      await mission.host.stopAll();
    } finally {
      await here.close();
    }
  },
};

const shown = (rows: readonly SoldDay[]) => rows.map(({ day, orders, amountCents }) => `${day}: ${orders} orders, ${(amountCents / 100).toFixed(2)}`).join('; ');
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

async function sellEverything(story: Story, { host }: Mission, sales: Sales): Promise<RunningApp> {
  let app: RunningApp | undefined;
  await story.step(`Start reporting; ${ORDERS.toLocaleString('en-US')} orders are paid, every fifth is cancelled`, async (say) => {
    const { url } = (app = await host.start('reporting'));
    await sales.pay(ORDERS);
    await sales.cancelEach(5);
    await until('all sales', async () => same(await readSales(url, sales.period), sales.gross()));
    say(`curl ${url}/sales?${sales.period}   or with &format=csv`);
    return `gross  ${shown(await readSales(url, sales.period))}`;
  });
  return app!;
}

async function changeTheDefinition(story: Story, { host, factline }: Mission, before: RunningApp, sales: Sales): Promise<void> {
  await story.step('Sold now means net of cancellations: deploy version 2, rebuild, swap while readers read', async () => {
    await before.stop();
    const { url } = await host.start('reporting', { REPORTING_SALES_VERSION: '2' });
    const readers = new SalesReaders(url, sales.period);
    const run = await factline(['replay', 'run', 'sales', '--app', 'reporting'], { echo: true });
    must(run.code === 0, `replay run answered exit code ${run.code}`);
    await until('the net sums', async () => same(await readSales(url, sales.period), sales.net()));
    await readers.stop();
    must(readers.failed === 0, `${readers.failed} of ${readers.reads} reads failed`);
    must(same([...readers.answers], [JSON.stringify(sales.gross()), JSON.stringify(sales.net())]), 'a reader saw sums that were neither gross nor net');
    return `net  ${shown(await readSales(url, sales.period))}; ${readers.reads} reads, 0 failed, each gross or net`;
  });
}
