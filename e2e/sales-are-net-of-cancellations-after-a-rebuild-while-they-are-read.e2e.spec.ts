import { factOwner, until } from 'factline/testing';
import { type App, type Estate, estate } from './support/estate.js';
import { ask } from './support/rest.js';
import { Sales, SalesReaders, readSales } from './support/sales.js';

let here: Estate;
let reporting: App;
let sales: Sales;

beforeAll(async () => {
  here = await estate({ apps: ['reporting'] });
  sales = new Sales(await factOwner(here.world, 'orders'), here.world, here.seed);
  reporting = await here.start('reporting');
});

afterAll(() => here?.close());

/** Facts of other orders may still be on their way: sums are right when all of them are in. */
const shows = async (expected: () => unknown[], what: string) => {
  await until(what, async () => JSON.stringify(await readSales(reporting.url, sales.period)) === JSON.stringify(expected()));
  expect(await readSales(reporting.url, sales.period)).toEqual(expected());
};
const stateOf = async (name: string) => ((await ask(`${reporting.url}/health`)).body['subscriptions'] as { name: string; state: string; trouble: { advice?: string } | null }[]).find((each) => each.name === name)!;

it('are gross at first: what was paid, whatever became of it', async () => {
  await sales.pay(300);
  await sales.cancelEach(5);
  await shows(() => sales.gross(), 'all that was paid');
  expect(sales.net()).not.toEqual(sales.gross()); // so the two definitions can be told apart
});

it('are net after the rebuild, and no reader saw anything else in between, nor a failure', async () => {
  const [gross, net] = [JSON.stringify(sales.gross()), JSON.stringify(sales.net())];
  await reporting.program.stop();
  reporting = await here.start('reporting', { REPORTING_SALES_VERSION: '2' });
  const outdated = await until('reporting to say that its model is outdated', async () => {
    const found = await stateOf('sales');
    return found.state === 'OUTDATED' ? found : undefined;
  });
  expect(outdated.trouble?.advice).toContain('factline replay run sales --app reporting');
  expect(JSON.stringify(await readSales(reporting.url, sales.period))).toBe(gross); // it serves, as before

  const readers = new SalesReaders(reporting.url, sales.period);
  const rebuilt = await here.factline(['replay', 'run', 'sales', '--app', 'reporting']);
  expect(rebuilt.code).toBe(0);
  await shows(() => sales.net(), 'the net sums');
  await readers.stop();
  expect(readers.failed).toBe(0);
  expect([...readers.answers]).toEqual([gross, net]); // in this order, and nothing between them
});

it('stay net with what is paid and cancelled afterwards; stock was never rebuilt', async () => {
  await until('the rebuilt model to follow', async () => (await stateOf('sales')).state === 'LIVE');
  await sales.pay(50);
  await sales.cancelEach(7);
  await shows(() => sales.net(), 'the newer sums');
  const { rows } = await here.store('reporting').query('select generation from sales.about union all select generation from stock.about');
  expect(rows).toEqual([{ generation: 2 }, { generation: 1 }]);
});

it('are gross again after a rollback: the sums follow the tables that serve', async () => {
  const back = await here.factline(['replay', 'rollback', 'sales', '--app', 'reporting']);
  expect(back.code).toBe(0);
  const expected = JSON.stringify(sales.gross());
  reporting = await reporting.program.stop().then(() => here.start('reporting'));
  await until('version 1 to have caught up', async () => JSON.stringify(await readSales(reporting.url, sales.period)) === expected);
});
