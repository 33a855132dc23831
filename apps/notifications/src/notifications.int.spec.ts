import avro from 'avsc';
import { Jobs } from 'factline/commands';
import { formatId, newId } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { type Service, openService } from 'factline/nest';
import { Store } from 'factline/store';
import { type FactOwner, type World, factOwner, topicRecords, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { OrderPaid } from './contracts.generated.js';
import { type MailConduct, MailServer } from './mail-server.spec.support.js';
import { NotificationsModule } from './notifications.module.js';
import { NotificationsService } from './notifications.service.js';
import { EmailProvider } from './providers.js';
import { SmsServer } from './sms-server.spec.support.js';

const ORDERS = OrderPaid.topic;
const PARTITIONS = 6;

let here: World;
let orders: FactOwner;
let ticketing: FactOwner;
let mails: MailServer;
let texts: SmsServer;
let service: Service;
let store: Store;
let made = 0;

const named = (kind: string) => `${here.name}-${kind}-${++made}`;
const emailOf = (customer: string) => `${customer}@example.com`;
/** No two customers of a spec share a number. */
const phoneOf = (customer: string) => `+49${String(made).padStart(4, '0')}${String(Number.parseInt(here.name.slice(1), 16) % 1_000_000).padStart(6, '0')}${customer.length % 10}`;

async function send(method: string, path: string, body?: unknown) {
  const init = body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${service.url}${path}`, init);
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}

/** A new customer who can be reached both ways. */
async function customer(): Promise<{ id: string; email: string; phone: string }> {
  const id = named('customer');
  const contact = { email: emailOf(id), phone: phoneOf(id) };
  expect(await send('PUT', `/contacts/${id}`, contact)).toEqual({ status: 200, body: { customerId: id, ...contact } });
  return { id, ...contact };
}

const paid = (customerId: string, orderId = named('order')) =>
  orders.state('orders.OrderPaid', orderId, { customerId, lines: [], currency: 'EUR', totalCents: 2_500, paidAt: 0, cardCountry: 'DE' });
const locked = (customerId: string, until: number) =>
  ticketing.state('ticketing.TicketLocked', named('seat'), { lockId: named('lock'), customerId, lockedUntil: until * 1_000 });
const inAnHour = () => Date.now() + 3_600_000;

interface Told {
  id: string;
  state: string;
}
const told = async (customerId: string) => (await send('GET', `/notifications?customerId=${customerId}`)).body['items'] as Told[];
const ended = (customerId: string, count = 1) =>
  until(`the end of ${count} notifications of ${customerId}`, async () => {
    const items = await told(customerId);
    return items.length === count && items.every(({ state }) => state !== 'ASKED') ? items : undefined;
  });
/** The id of the only notification of a customer, when it has ended. */
const endOf = async (customerId: string) => (await ended(customerId))[0]!.id;
const job = async (id: string) => (await send('GET', `/jobs/${id}`)).body;

/** What this app stated of a notification, as its consumers read it. */
async function stated(id: string): Promise<{ name: string; data: object }[]> {
  const { rows } = await store.query<{ value: Buffer }>('select value from factline.outbox where topic = $1 and key = $2 order by sequence', ['notifications.notification', id]);
  return Promise.all(
    rows.map(async ({ value }) => {
      const { schema } = (await (await fetch(`${here.registryUrl}/schemas/ids/${value.readInt32BE(1)}`)).json()) as { schema: string };
      const type = avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
      const { meta: _meta, ...data } = type.fromBuffer(value.subarray(5)) as { meta: object };
      return { name: type.name!, data };
    }),
  );
}

const settings: Record<string, string> = { FACTLINE_KAFKA: '', PORT: '0', LOG_LEVEL: 'silent', NOTIFICATIONS_PROVIDER_TIMEOUT: '1s' };

async function start(changes: Readonly<Record<string, string>> = {}): Promise<void> {
  service = await openService(NotificationsModule, readConfig({ ...settings, ...changes }));
  store = service.app.get(Store);
  await until('all partitions to be its own', async () => {
    const reactions = (await send('GET', '/health')).body['reactions'] as { partitions: unknown[] }[];
    return reactions.length === 4 && reactions.every(({ partitions }) => partitions.length === PARTITIONS);
  });
}

beforeAll(async () => {
  here = await world();
  [orders, ticketing] = [await factOwner(here, 'orders'), await factOwner(here, 'ticketing')];
  [mails, texts] = [await MailServer.open(), await SmsServer.open()];
  Object.assign(settings, {
    NOTIFICATIONS_DATABASE_URL: await here.database('notifications'),
    FACTLINE_KAFKA: here.kafka.join(','),
    FACTLINE_REGISTRY_URL: here.registryUrl,
    NOTIFICATIONS_SMTP_URL: mails.url,
    NOTIFICATIONS_SMS_URL: texts.url,
    NOTIFICATIONS_SMS_PER_SECOND: '100',
    NOTIFICATIONS_EMAILS_PER_SECOND: '100',
  });
  await start();
});

afterAll(async () => {
  await service?.close();
  await Promise.all([mails?.close(), texts?.close()]);
  await here?.close();
});

beforeEach(() => {
  mails.conduct = () => 'take';
  texts.conduct = () => 'take';
});

/** The mail server does this with the first mails to an address, one after the other, and takes the later ones. */
function conductOf(address: string, ...first: readonly MailConduct[]): void {
  const left = [...first];
  mails.conduct = (to) => (to === address ? (left.shift() ?? 'take') : 'take');
}

describe('a paid order', () => {
  it('is a mail, and a fact that says because of what, without the address', async () => {
    const { id, email } = await customer();
    const { id: factId, key } = await paid(id);
    const notification = await endOf(id);
    const [mail] = mails.to(email);
    expect(mail).toMatchObject({ subject: `Your order ${key} is paid`, messageId: `<${notification}@example.com>` });
    expect(await stated(notification)).toEqual([{ name: 'notifications.EmailSent', data: { notificationId: notification, customerId: id, template: 'ORDER_PAID', causeId: factId, messageId: mail!.messageId } }]);
    expect(await job(notification)).toMatchObject({ state: 'done', result: { sent: mail!.messageId } });
    expect(await told(id)).toEqual([
      { id: notification, customerId: id, channel: 'EMAIL', template: 'ORDER_PAID', causeId: factId, state: 'SENT', reason: null, messageId: mail!.messageId, askedAt: expect.any(String) as string, endedAt: expect.any(String) as string },
    ]);
  });

  it('is one mail however often the fact is on the topic', async () => {
    const { id, email } = await customer();
    const { key } = await paid(id);
    await ended(id);
    const log = here.log();
    const records = async () => (await topicRecords(log, ORDERS)).filter((record) => record.key.toString() === key);
    const partition = partitionOf(Buffer.from(key), PARTITIONS);
    const publisher = await log.publisher();
    await publisher.send(ORDERS, partition, await records());
    await publisher.close();
    const [topic] = await log.describe([ORDERS]);
    await until('the repetition to have passed', async () => {
      const { rows } = await store.query<{ next: number }>('select next_offset::float8 as next from order_mails.checkpoint where topic = $1 and partition = $2', [ORDERS, partition]);
      return rows[0]!.next >= topic!.partitions[partition]!.end;
    });
    expect(await records()).toHaveLength(2); // the control: it was told twice
    expect([(await told(id)).length, mails.to(email).length]).toEqual([1, 1]);
  });

  it('is asked for once for each fact, whatever tells of it; control: because of another fact it is a second one', async () => {
    const { id } = await customer();
    const notice = { channel: 'EMAIL', customerId: id, template: 'ORDER_PAID', values: { orderId: named('order'), total: '1.00 EUR' }, notAfter: inAnHour() * 1_000 } as const;
    const ask = (causeId: string) => store.transaction((tx) => service.app.get(NotificationsService).ask(tx, causeId, notice));
    const cause = formatId(newId());
    await ask(cause);
    await ask(cause);
    expect(await ended(id)).toHaveLength(1);
    await ask(formatId(newId()));
    expect(await ended(id, 2)).toHaveLength(2);
  });
});

describe('a held seat', () => {
  it('is a text message with its end', async () => {
    const { id, phone } = await customer();
    const { id: factId, key } = await locked(id, Date.parse('2099-11-22T14:05:00Z'));
    const notification = await endOf(id);
    expect(texts.to(phone)).toEqual([{ to: phone, text: `Your seat ${key} is held until 2099-11-22 14:05 UTC.`, idempotencyKey: notification, authorization: undefined }]);
    expect(await stated(notification)).toEqual([{ name: 'notifications.SmsSent', data: { notificationId: notification, customerId: id, template: 'SEAT_HELD', causeId: factId, messageId: `sms-${notification}` } }]);
  });

  it('is not told when it is not held any more', async () => {
    const { id, phone } = await customer();
    await locked(id, Date.now() - 1_000);
    expect(await ended(id)).toEqual([expect.objectContaining({ channel: 'SMS', state: 'FAILED', reason: 'TOO_LATE' })]);
    expect(texts.to(phone)).toEqual([]);
  });

  it('is one text message for whoever keeps the keys, when answers were lost; its fact is stated once', async () => {
    const { id, phone } = await customer();
    const conducts = ['cut', 'silence', { status: 503 }, 'cut'] as const;
    let attempt = 0;
    texts.conduct = (to) => (to === phone ? (conducts[attempt++] ?? 'take') : 'take');
    await locked(id, inAnHour());
    const notification = await endOf(id);
    expect(texts.to(phone).map(({ idempotencyKey }) => idempotencyKey)).toEqual([notification, notification, notification]);
    expect(await stated(notification)).toHaveLength(1);
  });

  it('a number that is refused is a fact, and the next message goes on', async () => {
    const { id, phone } = await customer();
    let attempt = 0;
    texts.conduct = (to) => (to === phone && attempt++ === 0 ? { status: 422 } : 'take');
    await locked(id, inAnHour());
    await ended(id);
    await locked(id, inAnHour());
    expect((await ended(id, 2)).map(({ state }) => state)).toEqual(['FAILED', 'SENT']);
  });
});

describe('who cannot be reached', () => {
  it('is not told, by a fact and without a command', async () => {
    const id = named('stranger');
    const { id: factId } = await paid(id);
    const notification = await endOf(id);
    expect(await stated(notification)).toEqual([
      { name: 'notifications.NotificationFailed', data: { notificationId: notification, customerId: id, template: 'ORDER_PAID', causeId: factId, channel: 'EMAIL', reason: 'NO_CONTACT', answer: null } },
    ]);
    expect((await send('GET', `/jobs/${notification}`)).status).toBe(404);
  });

  it('by this way is not told by another', async () => {
    const id = named('customer');
    await send('PUT', `/contacts/${id}`, { phone: phoneOf(id) });
    await paid(id);
    expect(await ended(id)).toEqual([expect.objectContaining({ channel: 'EMAIL', reason: 'NO_CONTACT' })]);
  });

  it('any more when it is sent is not told either', async () => {
    const { id, email } = await customer();
    let attempts = 0;
    mails.conduct = () => (attempts++, { recipient: '451 4.7.1 later' });
    await paid(id);
    await until('some attempts', () => attempts >= 2);
    expect(await send('DELETE', `/contacts/${id}`)).toEqual({ status: 204, body: {} });
    expect(await ended(id)).toEqual([expect.objectContaining({ state: 'FAILED', reason: 'NO_CONTACT' })]);
    expect(mails.to(email)).toEqual([]);
  });
});

describe('whatever the mail server does', () => {
  it('a mail whose acceptance was lost is repeated under its Message-ID, and its fact is stated once', async () => {
    const { id, email } = await customer();
    conductOf(email, 'cut', { recipient: '451 4.7.1 later' }, 'silence', { content: '452 4.3.1 disk full' }, 'cut');
    await paid(id);
    const notification = await endOf(id);
    expect(mails.to(email)).toHaveLength(3);
    expect(new Set(mails.to(email).map(({ messageId }) => messageId))).toEqual(new Set([`<${notification}@example.com>`]));
    expect(await stated(notification)).toHaveLength(1);
  });

  it('control: with a key that is new at each attempt the server has two mails, and nobody can tell', async () => {
    const { id, email } = await customer();
    const provider = service.app.get(EmailProvider);
    const { send: real } = provider;
    provider.send = (mail, signal) => real.call(provider, { ...mail, idempotencyKey: formatId(newId()) }, signal);
    conductOf(email, 'cut');
    await paid(id);
    await ended(id);
    provider.send = real;
    expect(new Set(mails.to(email).map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('a recipient who is refused is a fact with the code, and the next mail goes on', async () => {
    const { id, email } = await customer();
    conductOf(email, { recipient: `550 5.1.1 <${email}> unknown` });
    await paid(id);
    const notification = await endOf(id);
    await paid(id);
    expect((await ended(id, 2)).map(({ state }) => state)).toEqual(['FAILED', 'SENT']);
    expect(await stated(notification)).toEqual([{ name: 'notifications.NotificationFailed', data: expect.objectContaining({ reason: 'REFUSED', answer: '550 5.1.1' }) as object }]);
    expect(await job(notification)).toMatchObject({ state: 'done', result: { failed: 'REFUSED' }, problem: null });
  });

  it('an answer that nobody understands is a dead letter, which holds up that customer alone', async () => {
    const [{ id, email }, other] = [await customer(), await customer()];
    conductOf(email, { content: '554 5.6.0 what is this?' });
    await paid(id);
    const { id: first } = await until('it to be asked for', async () => (await told(id))[0]);
    await until('the dead letter', async () => (await job(first))['state'] === 'failed');
    await paid(id);
    await paid(other.id);
    await ended(other.id);
    const second = await until('the second to be asked for', async () => (await told(id))[1]);
    await until('the second to wait', async () => (await job(second.id))['state'] === 'blocked');
    expect(await job(first)).toMatchObject({
      problem: { code: 'provider.not-understood', message: 'The mail server answers what we do not understand: 554 5.6.0 to DATA.', repair: `factline dead-letters requeue notifications_email --app notifications --key 'notifications/${id}'` },
    });
    expect(mails.to(email)).toEqual([]);
  });

  it('while it is away nothing is lost and nothing is a dead letter, also of more customers than may fail', async () => {
    const { port } = mails;
    const reached = await Promise.all(Array.from({ length: 14 }, customer));
    const letters = async () => (await store.query<{ n: number }>('select count(*)::integer as n from notifications_email.dead_letter')).rows[0]!.n;
    const before = await letters();
    await mails.close();
    for (const { id } of reached) await paid(id);
    await until('it to stop trying', async () => {
      const reactions = (await send('GET', '/health')).body['reactions'] as { name: string; state: string }[];
      return reactions.some(({ name, state }) => name === 'notifications_email' && state === 'PAUSED');
    });
    mails = await MailServer.open(port);
    for (const { id, email } of reached) {
      await ended(id);
      expect(mails.to(email)).toHaveLength(1);
    }
    expect(await letters()).toBe(before);
  });
});

describe('contacts', () => {
  it('are put as a whole, read and removed', async () => {
    const { id, email } = await customer();
    expect((await send('PUT', `/contacts/${id}`, { email })).body).toEqual({ customerId: id, email, phone: null });
    expect(await send('GET', `/contacts/${id}`)).toEqual({ status: 200, body: { customerId: id, email, phone: null } });
    expect([(await send('DELETE', `/contacts/${id}`)).status, (await send('DELETE', `/contacts/${id}`)).status]).toEqual([204, 204]);
    expect(await send('GET', `/contacts/${id}`)).toMatchObject({ status: 404, body: { code: 'contact.unknown' } });
  });

  it.each([
    ['email', 'ada'],
    ['email', 'ada@localhost'],
    ['email', 'a\r\nb@example.com'],
    ['email', '"a\r\nRCPT TO:<eve@example.com>"@example.com'],
    ['email', 'ada@example.com, eve@example.com'],
    ['email', 'ädä@example.com'],
    ['email', `ada@${'a'.repeat(64)}.com`],
    ['phone', '030 123456'],
    ['phone', '+0123456789'],
    ['phone', '+49301234567890123'],
    ['phone', '+49\u0000123456'],
    ['phone', 4_930_123_456],
    ['nickname', 'ada'],
  ])('are refused with %s %j', async (path, value) => {
    expect(await send('PUT', `/contacts/${named('customer')}`, { email: 'ada@example.com', [path]: value })).toMatchObject({ status: 400, body: { errors: [expect.objectContaining({ path })] } });
  });

  it('are refused empty, and for an id that no order can have', async () => {
    expect(await send('PUT', `/contacts/${named('customer')}`, {})).toMatchObject({ status: 400, body: { code: 'contact.empty' } });
    expect((await send('PUT', '/contacts/a%0d%0ab', { email: 'ada@example.com' })).status).toBe(400);
  });
});

it('notifications are listed page by page, in the order in which they were asked for', async () => {
  const { id } = await customer();
  for (let count = 1; count <= 3; count++) {
    await paid(id);
    await ended(id, count);
  }
  const first = (await send('GET', `/notifications?customerId=${id}&limit=2`)).body as { items: { id: string }[]; next: string };
  const second = (await send('GET', `/notifications?customerId=${id}&limit=2&cursor=${first.next}`)).body as { items: { id: string }[]; next: null };
  expect([...first.items, ...second.items].map((item) => item.id)).toEqual((await told(id)).map((item) => item.id));
  expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
  expect((await send('GET', '/notifications?limit=1')).body['items']).toHaveLength(1);
});

it('no address or number is in a command, a fact, a job or the list', async () => {
  const { id, email, phone } = await customer();
  await paid(id);
  await locked(id, inAnHour());
  const items = await ended(id, 2);
  const { rows } = await store.query<{ value: Buffer }>('select value from factline.outbox where key = any($1)', [[`notifications/${id}`, ...items.map((item) => item.id)]]);
  expect(rows).toHaveLength(4);
  const seen = [...rows.map(({ value }) => value.toString('latin1')), JSON.stringify([items, await service.app.get(Jobs).statuses(items.map((item) => item.id))])].join(' ');
  expect(seen).toContain(id);
  for (const secret of [email, phone]) expect(seen).not.toContain(secret);
});

it('a stop waits for whoever is being asked, and what they did not answer is sent after the next start', async () => {
  const { id, email } = await customer();
  let asked = 0;
  mails.conduct = () => (asked++, 'silence');
  await paid(id);
  await until('the mail server to be asked', () => asked > 0);
  await service.close();
  expect(mails.to(email)).toEqual([]);
  mails.conduct = () => 'take';
  await start();
  expect(await ended(id)).toEqual([expect.objectContaining({ state: 'SENT' })]);
  expect(mails.to(email)).toHaveLength(1);
});

it('mails go at the rate of the setting, whatever there is to send', async () => {
  await service.close();
  await start({ NOTIFICATIONS_EMAILS_PER_SECOND: '2' });
  const reached = await Promise.all(Array.from({ length: 7 }, customer));
  await orders.stateAll(reached.map(({ id }) => ['orders.OrderPaid', named('order'), { customerId: id, lines: [], currency: 'EUR', totalCents: 1, paidAt: 0, cardCountry: 'DE' }] as const));
  for (const { id } of reached) await ended(id);
  const at = reached.map(({ email }) => mails.to(email)[0]!.atMs).toSorted((one, other) => one - other);
  // Two at once and two a second: the seventh has its turn 2.5 s after the first, less what a process may hold of the burst.
  expect(at.at(-1)! - at[0]!).toBeGreaterThan(2_200);
});

it('does not start without its settings, and names all that are missing or wrong', () => {
  expect(() => readConfig({ NOTIFICATIONS_SMTP_URL: 'http://127.0.0.1', NOTIFICATIONS_EMAIL_FROM: 'a\r\nb@example.com' })).toThrow(
    /NOTIFICATIONS_DATABASE_URL.*FACTLINE_KAFKA.*FACTLINE_REGISTRY_URL.*NOTIFICATIONS_SMTP_URL must be.*NOTIFICATIONS_EMAIL_FROM must be/,
  );
});
