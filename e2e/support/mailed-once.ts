import { until } from 'factline/testing';
import type { TakenMail } from '../../apps/notifications/src/mail-server.spec.support.js';
import { type StatedFact, byKey, statedFacts, withoutRepetitions } from './employee-topic.js';
import type { App, Estate } from './estate.js';
import { inParallel } from './hr-client.js';
import { ask } from './rest.js';

const PARTITIONS = 6;
const CALLERS = 4;
const PRICE_CENTS = 1_250;

/** Customers with an address each, who order and pay. */
export class MailedCustomers {
  #orders = 0;

  constructor(
    private readonly here: Estate,
    private readonly customers: number,
  ) {}

  customer(number: number): string {
    return `${this.here.prefix}c-${number}`;
  }

  address(number: number): string {
    return `${this.customer(number)}@example.com`;
  }

  async tellAddresses(notificationsUrl: string): Promise<void> {
    for (let number = 0; number < this.customers; number++) expect((await ask(`${notificationsUrl}/contacts/${this.customer(number)}`, 'PUT', { email: this.address(number) })).status).toBe(200);
  }

  /** So many orders, of one customer after the other, or all of one. @returns their ids. */
  async pay(ordersUrl: string, orders: number, only?: number): Promise<string[]> {
    const ids = Array.from({ length: orders }, () => `${this.here.prefix}o-${++this.#orders}`);
    await inParallel(ids, CALLERS, async (id) => {
      const customerId = this.customer(only ?? Number(id.slice(id.lastIndexOf('-') + 1)) % this.customers);
      const order = { id, customerId, currency: 'EUR', lines: [{ productId: 'mug', quantity: 1, unitPriceCents: PRICE_CENTS }] };
      expect((await ask(`${ordersUrl}/orders`, 'POST', order)).status).toBe(201);
      expect((await ask(`${ordersUrl}/orders/${id}/payments`, 'POST', { amountCents: PRICE_CENTS, cardCountry: 'DE' })).status).toBe(200);
    });
    return ids;
  }

  /** Those of this spec, as orders' database says. */
  async paid(): Promise<string[]> {
    const { rows } = await this.here.store('orders').query<{ id: string }>("select id from customer_order where status = 'PAID' and starts_with(id, $1) order by id", [this.here.prefix]);
    return rows.map(({ id }) => id);
  }

  /** What notifications stated of their mails, as any Kafka client sees it, repetitions of the relay left out. */
  async stated(): Promise<StatedFact[]> {
    const facts = (await statedFacts({ world: this.here.world, prefix: '' }, 'notifications.notification')).filter(({ data }) => (data['customerId'] as string).startsWith(this.here.prefix));
    return [...byKey(facts).values()].flatMap((each) => withoutRepetitions(each));
  }
}

/** When each fact that is stated from now on is one of "from now on". */
export async function listening({ url }: App): Promise<void> {
  await until('notifications to read what is paid from now on', async () => {
    const reactions = (await ask(`${url}/health`)).body['reactions'] as { name: string; partitions: unknown[] }[];
    return reactions.some(({ name, partitions }) => name === 'order_mails' && partitions.length === PARTITIONS);
  });
}

export interface MailFaults {
  /** Paid, and no mail. */
  lost: string[];
  /** Mails that nobody can tell to be one: several Message-IDs for one order. */
  doubled: string[];
  /** Mailed, and not stated exactly once as the mail that it is. */
  misstated: string[];
  /** Mails about nothing that was paid. */
  strange: string[];
}

/** What is wrong with the mails about these orders, and with what was stated of them. */
export function mailFaults(paid: readonly string[], mails: readonly Pick<TakenMail, 'subject' | 'messageId'>[], stated: readonly Pick<StatedFact, 'name' | 'data'>[]): MailFaults {
  const ids = new Map(paid.map((order) => [order, new Set<string>()]));
  const strange: string[] = [];
  for (const { subject, messageId } of mails) {
    const known = ids.get(/^Your order (\S+) is paid$/.exec(subject)?.[1] ?? '');
    if (known) known.add(messageId);
    else strange.push(subject);
  }
  const times = (messageIds: ReadonlySet<string>) => stated.filter(({ name, data }) => name === 'notifications.EmailSent' && messageIds.has(data['messageId'] as string)).length;
  const those = (wrong: (messageIds: ReadonlySet<string>) => boolean) => [...ids].flatMap(([order, messageIds]) => (wrong(messageIds) ? order : []));
  return { lost: those(({ size }) => size === 0), doubled: those(({ size }) => size > 1), misstated: those((messageIds) => messageIds.size > 0 && times(messageIds) !== 1), strange };
}
