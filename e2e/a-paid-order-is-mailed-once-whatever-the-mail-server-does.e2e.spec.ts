import { formatId, newId } from 'factline/kernel';
import { openService } from 'factline/nest';
import { until } from 'factline/testing';
import { readConfig } from '../apps/notifications/src/config.js';
import { type MailConduct, MailServer } from '../apps/notifications/src/mail-server.spec.support.js';
import { NotificationsModule } from '../apps/notifications/src/notifications.module.js';
import { EmailProvider } from '../apps/notifications/src/providers.js';
import { type App, type Estate, estate } from './support/estate.js';
import { MailedCustomers, listening, mailFaults } from './support/mailed-once.js';
import { ask } from './support/rest.js';

const CUSTOMERS = 12;
const NOTHING = { lost: [], doubled: [], misstated: [], strange: [] };

let here: Estate;
let orders: App;
let notifications: App;
let mails: MailServer;
let settings: Record<string, string>;
let shop: MailedCustomers;

beforeAll(async () => {
  here = await estate({ apps: ['orders', 'notifications'] });
  mails = await MailServer.open();
  settings = { NOTIFICATIONS_SMTP_URL: mails.url, NOTIFICATIONS_PROVIDER_TIMEOUT: '1s', NOTIFICATIONS_EMAILS_PER_SECOND: '1000' };
  shop = new MailedCustomers(here, CUSTOMERS);
  orders = await here.start('orders');
  notifications = await here.start('notifications', settings);
  await shop.tellAddresses(notifications.url);
  await listening(notifications);
});

afterAll(async () => {
  await here?.close();
  await mails?.close();
});

const faults = async () => mailFaults(await shop.paid(), mails.taken, await shop.stated());
const settled = () =>
  until(
    'every paid order to be mailed, and stated to be',
    async () => {
      const { lost, misstated } = await faults();
      return lost.length + misstated.length === 0;
    },
    60_000,
  );

/** Each third mail meets something: its acceptance is lost, it is put off, nobody answers. */
function trouble(): () => MailConduct {
  const conducts: readonly MailConduct[] = ['cut', { recipient: '451 4.7.1 greylisted' }, 'cut', { content: '452 4.3.1 disk full' }, 'silence'];
  let seen = 0;
  return () => (++seen % 3 === 0 ? conducts[(seen / 3) % conducts.length]! : 'take');
}

it('also when it takes mails and does not say so, and notifications is killed with -9 meanwhile', async () => {
  mails.conduct = trouble();
  await shop.pay(orders.url, 30);
  await settled();
  const before = mails.taken.length;
  mails.conduct = () => 'hold';
  await shop.pay(orders.url, 4);
  await until('a mail that is taken while nobody knows it', () => mails.taken.length > before);
  await notifications.program.stop('SIGKILL');
  expect((await faults()).misstated).not.toEqual([]);
  mails.conduct = trouble();
  notifications = await here.start('notifications', settings);
  await shop.pay(orders.url, 10);
  await settled();
  expect(await faults()).toEqual(NOTHING);
  const paid = await shop.paid();
  expect(paid).toHaveLength(44);
  expect(mails.taken.length).toBeGreaterThan(paid.length); // the trouble was real: some arrived twice, as the same mail
});

it('a mail that it answers with what nobody understands is requeued from the command line, when that is mended, and mailed once', async () => {
  const customer = shop.customer(0);
  mails.conduct = (to) => (to === shop.address(0) ? { content: '554 5.6.0 nonsense' } : 'take');
  const [order] = await shop.pay(orders.url, 1, 0);
  const { code, repair } = await until('its job to fail', async () => {
    const items = (await ask(`${notifications.url}/notifications?customerId=${customer}&limit=200`)).body['items'] as { id: string; state: string }[];
    const asked = items.find(({ state }) => state === 'ASKED');
    return asked && ((await ask(`${notifications.url}/jobs/${asked.id}`)).body['problem'] as { code: string; repair: string } | null);
  });
  expect([code, repair]).toEqual(['provider.not-understood', `factline dead-letters requeue notifications_email --app notifications --key 'notifications/${customer}'`]);
  const requeue = () => here.factline(repair.replaceAll("'", '').split(' ').slice(1));
  expect((await requeue()).code).toBe(100); // not mended yet
  expect((await faults()).lost).toEqual([order]);
  mails.conduct = () => 'take';
  expect(await requeue()).toMatchObject({ code: 0, stdout: expect.stringContaining('1 facts of 1 keys handled') as string });
  await settled();
  expect(await faults()).toEqual(NOTHING);
});

it('control: with a key that is new at each attempt one order is two mails, and the checker sees it', async () => {
  await notifications.program.stop();
  const service = await openService(NotificationsModule, readConfig({ ...here.environment, ...settings, PORT: '0', LOG_LEVEL: 'silent' }));
  try {
    const provider = service.app.get(EmailProvider);
    const { send } = provider;
    provider.send = (mail, signal) => send.call(provider, { ...mail, idempotencyKey: formatId(newId()) }, signal);
    let cut = 0;
    mails.conduct = () => (cut++ === 0 ? 'cut' : 'take');
    const [order] = await shop.pay(orders.url, 1);
    await settled();
    expect(await faults()).toEqual({ ...NOTHING, doubled: [order] });
  } finally {
    await service.close();
  }
});

it('control: what is lost, stated too often, or about nothing is seen', () => {
  const mail = (order: string, messageId: string) => ({ subject: `Your order ${order} is paid`, messageId });
  const sent = (messageId: string) => ({ name: 'notifications.EmailSent', data: { messageId } });
  expect(mailFaults(['a', 'b', 'c', 'd'], [mail('a', '1'), mail('b', '2'), mail('b', '2'), mail('c', '3'), mail('e', '5')], [sent('1'), sent('1'), sent('2')])).toEqual({
    lost: ['d'],
    doubled: [],
    misstated: ['a', 'c'],
    strange: ['Your order e is paid'],
  });
});
