import { stackEnvironment } from 'factline/stack';
import { Store } from 'factline/store';
import { factOwner, until, world } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { Customers } from '../../support/customers.js';
import type { Mission } from '../../support/mission.js';
import { ask } from '../../support/rest.js';
import { type Chapter, type Story, must } from '../story.js';

interface Flagged {
  orderId: string;
  reasons: string[];
  ruleVersion: number;
}

interface Scene {
  mission: Mission;
  customers: Customers;
  app: RunningApp;
}

/** risk judges orders by what customers did before; then the rule changes, and what was stated is not stated again. */
export const risk: Chapter = {
  apps: ['risk'],
  tell: async (story, mission) => {
    const here = await world({ ...stackEnvironment(mission.stack) });
    try {
      const customers = new Customers(await factOwner(here, 'orders'), await factOwner(here, 'inventory'), here.name);
      const scene = { mission, customers, app: await mission.host.start('risk') };
      await judge(story, scene);
      await changeTheRule(story, scene);
      await mission.host.stopAll();
    } finally {
      await here.close();
    }
  },
};

/** Of the two customers of this chapter alone. */
const flaggedOrders = async (url: string, customers: Customers) => (await Promise.all(['stranger', 'traveller'].map(async (name) => (await ask(`${url}/customers/${customers.id(name)}/risk`)).body['flaggedOrders'] as Flagged[]))).flat();
const reasonsOf = async (url: string, customer: string) => (await ask(`${url}/customers/${customer}/risk`)).body['reasons'] as string[];
const shown = (orders: readonly Flagged[]) => orders.map(({ reasons, ruleVersion }) => `${reasons.join(', ')} (rule ${ruleVersion})`).join('; ');

async function judge(story: Story, { mission, customers, app: { url } }: Scene): Promise<void> {
  const database = mission.host.environment['RISK_DATABASE_URL']!;
  await story.step('Start risk; a stranger orders for 2,500, a traveller pays with cards of three countries', async () => {
    await customers.buys('stranger', { totalCents: 250_000 });
    const store = new Store({ url: database, applicationName: 'demo', connections: 1 });
    for (const cardCountry of ['DE', 'FR', 'US']) {
      const id = await customers.buys('traveller', { totalCents: 500, cardCountry });
      await until('it to be judged by rule 1', async () => (await customers.handled(store, id)) >= 2);
    }
    await store.close();
    const flagged = await until('the order of the stranger to be flagged', async () => {
      const found = await flaggedOrders(url, customers);
      return found.length > 0 ? found : undefined;
    });
    return `flagged: ${shown(flagged)}; the traveller is not, for rule 1 does not ask where cards come from`;
  });
}

async function changeTheRule(story: Story, scene: Scene): Promise<void> {
  const { mission, customers } = scene;
  await story.step('Rule 2 asks for the countries of cards: deploy it and rebuild what it needs', async (say) => {
    await scene.app.stop();
    scene.app = await mission.host.start('risk', { RISK_RULE: '2' });
    const { url } = scene.app;
    const before = await flaggedOrders(url, customers);
    const run = await mission.factline(['replay', 'run', 'orders_seen', '--app', 'risk'], { echo: true });
    must(run.code === 0, `replay run answered exit code ${run.code}`);
    const reasons = await until('the new judgement', async () => {
      const found = await reasonsOf(url, customers.id('traveller'));
      return found.length > 0 ? found : undefined;
    });
    say(`GET /customers/traveller/risk: ${reasons.join(', ')}, out of facts that were stated before there was such a rule`);
    must(JSON.stringify(await flaggedOrders(url, customers)) === JSON.stringify(before), 'the rebuild stated something');
    await customers.buys('traveller', { totalCents: 500 });
    const after = await until('the next order to be flagged', async () => {
      const found = await flaggedOrders(url, customers);
      return found.length > before.length ? found : undefined;
    });
    return `nothing was stated again; the traveller's next order is: ${shown(after)}`;
  });
}
