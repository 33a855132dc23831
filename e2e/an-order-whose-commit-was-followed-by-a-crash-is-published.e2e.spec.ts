import { resolve } from 'node:path';
import type { RelayPoint } from 'factline/outbox';
import { until } from 'factline/testing';
import { killedAt } from './support/crash-scene.js';
import { type Estate, estate } from './support/estate.js';
import type { OrdersCrashArgument, OrdersPoint, RequestPoint } from './support/orders-crash-child.js';
import { Program, nodeCommand } from './support/program.js';
import { ROOT } from './support/root.js';
import { Shop } from './support/shop.js';

const CHILD = resolve(ROOT, 'dist/e2e/support/orders-crash-child.js');
/** Orders that wait when a relay begins: twelve facts, several pages and slots. */
const WAVE = 6;
/** A process that has not died after so many orders will not. */
const ORDERS_AT_MOST = 200;

let here: Estate;
let inventoryUrl: string;
const children: Program[] = [];

beforeAll(async () => {
  here = await estate({ apps: ['orders', 'inventory'] });
  inventoryUrl = (await here.start('inventory')).url;
});

afterEach(async () => void (await Promise.all(children.splice(0).map((child) => child.stop('SIGKILL')))));
afterAll(() => here?.close());

/** orders' own process, which kills itself. */
async function child(argument: OrdersCrashArgument): Promise<{ program: Program; url: string }> {
  const program = new Program(...nodeCommand(['--enable-source-maps', CHILD, JSON.stringify(argument)]), { environment: { ...here.environment, PORT: '0' }, cwd: ROOT });
  children.push(program);
  const url = await until('orders to listen', () => {
    if (!program.running) throw new Error(program.tail);
    return program.lines.find(({ msg }) => msg === 'listening')?.['url'] as string | undefined;
  });
  return { program, url };
}

async function stocked(name: string): Promise<Shop> {
  const shop = new Shop(here, name);
  await shop.deliver(inventoryUrl);
  return shop;
}

describe('every order that was paid is taken out of the stock once, and no other one, when orders is killed with -9', () => {
  type Kill = { nth: number; stopAt?: OrdersCrashArgument['stopAt'] };
  /** Every point that a relay names: one that is added must be tried here, too. */
  const kills: Record<OrdersPoint, Kill> = {
    stated: { nth: 2 * WAVE + 4 },
    committed: { nth: 2 * WAVE + 4 },
    acquired: { nth: 1 },
    'tick-read': { nth: 2 },
    'page-sent': { nth: 2 },
    'progress-stored': { nth: 2 },
    'watermark-sent': { nth: 1 },
    'slot-switched': { nth: 1 },
    'slot-emptied': { nth: 1 },
    released: { nth: 1, stopAt: { name: 'page-sent', nth: 1 } },
  } satisfies Record<RelayPoint['name'] | RequestPoint, Kill>;

  it.each(Object.entries(kills) as [OrdersPoint, Kill][])('at %s', async (point, { nth, ...where }) => {
    const shop = await stocked(point);
    const { program, url } = await child({ publishes: 'by-relay', crashAt: { name: point, nth }, ...where });
    await shop.wave(url, WAVE);
    program.signal('SIGUSR2');
    await shop.buyUntil(() => !program.running, url, ORDERS_AT_MOST);
    expect(await killedAt(program)).toBe(point);

    const next = await here.start('orders');
    await until('every paid order to be taken out', async () => (await shop.faults()).lost.length === 0);
    expect(await next.program.stop()).toEqual({ code: 0, signal: null });
    await shop.handled();
    expect(await shop.faults()).toEqual({ lost: [], strange: [], doubled: 0 });
    expect((await shop.paid()).length).toBeGreaterThanOrEqual(WAVE);
  });
});

it('control: a service that publishes after its commit, by itself, loses the one order between the two', async () => {
  const shop = await stocked('directly');
  const { program, url } = await child({ publishes: 'directly', crashAt: { name: 'committed', nth: 2 * WAVE + 2 } }); // a payment
  await shop.wave(url, WAVE);
  await until('what is sent to arrive', async () => (await shop.faults()).lost.length === 0);
  await shop.buyUntil(() => !program.running, url, ORDERS_AT_MOST);
  expect(await killedAt(program)).toBe('committed');

  const next = await child({ publishes: 'directly' });
  expect((await shop.buy(next.url, 1_000)).status).toBe(200);
  await until('the later order to be taken out', async () => (await shop.faults()).lost.length <= 1);
  await shop.handled();
  expect(await shop.faults()).toEqual({ lost: [`${WAVE + 1} for ${shop.product}-${WAVE + 1}`], strange: [], doubled: 0 });
  await next.program.stop();
});
