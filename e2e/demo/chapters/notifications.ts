import { until } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { MailServer } from '../../../apps/notifications/src/mail-server.spec.support.js';
import { inParallel } from '../../support/hr-client.js';
import type { Mission } from '../../support/mission.js';
import { ask } from '../../support/rest.js';
import { type Chapter, type Story, must, seconds } from '../story.js';

const CALLERS = 8;
const CUSTOMERS = 20;
const PRICE_CENTS = 1_250;
const PARTITIONS = 6;

interface Scene {
  orders: RunningApp;
  notifications: RunningApp;
  mails: MailServer;
}

interface Subscription {
  name: string;
  state: string;
  partitions: unknown[];
}

/** Who pays gets a mail, once, also when the mail server was away. */
export const notifications: Chapter = {
  apps: ['orders', 'notifications'],
  tell: async (story, mission) => {
    const scene = { mails: await MailServer.open() } as Scene;
    try {
      await tellWhoPaid(story, mission, scene);
      await switchTheMailServerOff(story, mission, scene);
    } finally {
      await scene.mails.close();
    }
  },
};

async function tellWhoPaid(story: Story, mission: Mission, scene: Scene): Promise<void> {
  await story.step(`Start notifications with a mail server; ${CUSTOMERS} customers pay`, async (say) => {
    scene.orders = await mission.host.start('orders');
    scene.notifications = await mission.host.start('notifications', { NOTIFICATIONS_SMTP_URL: scene.mails.url });
    await until('it to read what is paid from now on', async () => (await subscription(scene, 'order_mails'))?.partitions.length === PARTITIONS);
    await inParallel(customers, CALLERS, async (customer) => {
      must((await ask(`${scene.notifications.url}/contacts/${customer}`, 'PUT', { email: `${customer}@example.com` })).status === 200, `nobody took the address of ${customer}`);
    });
    await pay(scene, 'first');
    await until('a mail for each', () => scene.mails.taken.length >= CUSTOMERS);
    const [{ to, subject, messageId }] = scene.mails.taken as [MailServer['taken'][number]];
    say(`To: ${to}   Subject: ${subject}   Message-ID: ${messageId}`);
    await until('each to be known as sent', async () => (await sent(scene)) === CUSTOMERS);
    must(once(scene, CUSTOMERS), 'somebody has two mails');
    return `${CUSTOMERS} mails in the mail server, one for each payment; ${CUSTOMERS} notifications are SENT`;
  });
}

async function switchTheMailServerOff(story: Story, mission: Mission, scene: Scene): Promise<void> {
  await story.step(`Switch the mail server off while ${CUSTOMERS} more pay, then on again`, async (say) => {
    const { port, taken } = scene.mails;
    await scene.mails.close();
    await pay(scene, 'late');
    await until('notifications to stop trying them all', async () => (await subscription(scene, 'notifications_email'))?.state === 'PAUSED');
    say('more than 10 customers cannot be told: PAUSED, one mail is tried now and then, nothing is parked');
    scene.mails = await MailServer.open(port);
    scene.mails.taken.push(...taken);
    const started = performance.now();
    await until('a mail for each', async () => scene.mails.taken.length >= 2 * CUSTOMERS && (await sent(scene)) === 2 * CUSTOMERS);
    must(once(scene, 2 * CUSTOMERS), 'somebody has two mails about one order');
    const { output } = await mission.factline(['dead-letters', 'list', 'notifications_email', '--app', 'notifications']);
    must(output.includes('no key is blocked'), `there are dead letters: ${output}`);
    return `${CUSTOMERS} mails were there ${seconds(performance.now() - started)} after it was back: nothing lost, nothing twice, no dead letter`;
  });
}

const customers = Array.from({ length: CUSTOMERS }, (_, nth) => `mailed-${nth + 1}`);

async function pay({ orders }: Scene, name: string): Promise<void> {
  await inParallel(customers, CALLERS, async (customerId) => {
    const id = `${name}-of-${customerId}`;
    const order = { id, customerId, currency: 'EUR', lines: [{ productId: 'mug', quantity: 1, unitPriceCents: PRICE_CENTS }] };
    must((await ask(`${orders.url}/orders`, 'POST', order)).status === 201, `${id} could not be placed`);
    must((await ask(`${orders.url}/orders/${id}/payments`, 'POST', { amountCents: PRICE_CENTS, cardCountry: 'DE' })).status === 200, `${id} could not be paid`);
  });
}

async function subscription({ notifications: app }: Scene, name: string): Promise<Subscription | undefined> {
  return ((await ask(`${app.url}/health`)).body['reactions'] as Subscription[]).find((each) => each.name === name);
}

async function sent({ notifications: app }: Scene): Promise<number> {
  return ((await ask(`${app.url}/notifications?limit=200`)).body['items'] as { state: string }[]).filter(({ state }) => state === 'SENT').length;
}

/** One mail about each order, and one Message-ID for each mail. */
const once = ({ mails }: Scene, orders: number) => new Set(mails.taken.map(({ subject }) => subject)).size === orders && new Set(mails.taken.map(({ messageId }) => messageId)).size === orders;
