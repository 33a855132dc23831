import { advanceCommandClock } from 'factline/commands';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { HrClient, inParallel } from '../../support/hr-client.js';
import type { Mission } from '../../support/mission.js';
import { people } from '../../support/people.js';
import { type Chapter, type Story, must } from '../story.js';

const STAFF = people(100, 3);

/** gift-cards joins while hr runs: it reads the history, and issues a card a week to everybody who is employed. */
export const giftCards: Chapter = {
  apps: ['hr', 'gift-cards'],
  tell: async (story, mission) => {
    const stores: Store[] = [];
    const open = (name: string) => {
      const store = new Store({ url: mission.host.environment[name]!, applicationName: 'demo', connections: 1 });
      stores.push(store);
      return store;
    };
    try {
      await join(story, mission, open('HR_DATABASE_URL'), open('GIFT_CARDS_DATABASE_URL'));
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  },
};

async function join(story: Story, mission: Mission, hrStore: Store, own: Store): Promise<void> {
  let hrApp: RunningApp;
  const count = async (store: Store, text: string) => (await store.query<{ count: number }>(text)).rows[0]!.count;
  const employed = () => count(hrStore, "select count(*)::integer as count from employee where last_day is null");
  await story.step('Hire 100 more in hr, and then let gift-cards join', async (say) => {
    hrApp = await mission.host.start('hr');
    const hr = new HrClient(hrApp.url);
    await inParallel(STAFF, 8, (person) => hr.hire(person));
    const { url } = await mission.host.start('gift-cards');
    say(`gift-cards at ${url}/docs has read nothing yet; hr (pid ${hrApp.pid}) is not asked`);
    const known = await until('the whole history', async () => {
      const diners = await count(own, 'select count(*)::integer as count from diners.diners').catch(() => 0);
      return diners === (await employed()) ? diners : undefined;
    });
    return `all ${known} who are employed are known, from offset zero; an id is all that is kept of them`;
  });
  await story.step('Let two weeks pass', async (say) => {
    const cards = () => count(own, 'select count(*)::integer as count from gift_card');
    for (const weeks of [1, 2]) {
      await advanceCommandClock(own, '7d');
      await until(`the cards of week ${weeks}`, async () => (await cards()) === weeks * (await employed()));
      say(`${await cards()} cards after ${weeks === 1 ? 'one week' : 'two weeks'}`);
    }
    const twice = await count(own, 'select count(*)::integer as count from (select from gift_card group by week, employee_id having count(*) > 1) as twice');
    must(twice === 0 && (await fetch(`${hrApp.url}/health/ready`)).ok, 'somebody got two cards of a week, or hr does not answer');
    return 'one card a week for everybody, and hr was neither changed nor restarted';
  });
}
