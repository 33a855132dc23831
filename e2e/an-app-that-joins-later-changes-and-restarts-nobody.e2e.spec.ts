import { execFileSync } from 'node:child_process';
import { advanceCommandClock } from 'factline/commands';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient, inParallel } from './support/hr-client.js';
import { type Person, people } from './support/people.js';
import { ask } from './support/rest.js';
import { ROOT } from './support/root.js';

/** Schedules of all specs would meet in one queue, so this spec has a stack of its own. */
const STACK_STARTS_WITHIN = 240_000;
const STAFF = 40;
const GONE = 5;
const DAY_MS = 86_400_000;

let stack: Stack;
let here: Estate;
let hr: App;
let giftCards: App;
let client: HrClient;
let staff: Person[];

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await estate({ apps: ['hr', 'gift-cards'], env: { ...stackEnvironment(stack) } });
  hr = await here.start('hr');
  client = new HrClient(hr.url);
  staff = people(STAFF, here.seed);
  await inParallel(staff, 4, (person) => client.hire(person));
  await inParallel(staff.slice(0, GONE), 4, ({ id }) => client.change({ kind: 'end', id, lastDay: '2026-01-31' }));
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

const employed = () => [...client.expected.keys()].toSorted();
const cards = async () => (await here.store('gift-cards').query<{ week: string; employee: string }>('select week::text, employee_id as employee from gift_card order by week, employee_id')).rows;
/** Not by prefix: the stack is this spec's alone. */
const all = { get world() { return here.world; }, prefix: '' };
const aWeekPasses = () => advanceCommandClock(here.store('gift-cards'), '7d');

it('reads what hr stated before it was there, and issues one card a week to everybody who is employed', async () => {
  const { pid } = hr.program;
  giftCards = await here.start('gift-cards');
  await until('the history of hr to be known', async () => (await here.store('gift-cards').query('select from diners.diners')).rowCount === STAFF - GONE);
  await aWeekPasses();
  await until('the cards of a week', async () => (await cards()).length === STAFF - GONE);
  expect((await cards()).map(({ employee }) => employee)).toEqual(employed());
  expect([hr.program.running, hr.program.pid, (await ask(`${hr.url}/health/ready`)).status]).toEqual([true, pid, 200]);
});

it('issues each week once, also when it is killed with -9 as soon as it was asked to', async () => {
  const store = here.store('gift-cards');
  for (let asked = 2; asked <= 4; asked++) {
    await aWeekPasses();
    await until('the next week to be asked for', async () => (await store.query("select from factline.job where queue = 'gift_cards.issue'")).rowCount === asked);
    await giftCards.program.stop('SIGKILL');
    giftCards = await here.start('gift-cards');
  }
  await until('the cards of four weeks', async () => (await cards()).length === 4 * (STAFF - GONE));
  await until('all of them on the topic', async () => (await statedFacts(all, 'gift_cards.card')).length >= 4 * (STAFF - GONE));
  const stated = [...byKey(await statedFacts(all, 'gift_cards.card')).values()].flatMap((facts) => withoutRepetitions(facts));
  const told = stated.map(({ key, data }) => `${new Date((data['week'] as number) * DAY_MS).toISOString().slice(0, 10)} ${key}`).toSorted();
  expect(told).toEqual((await cards()).map(({ week, employee }) => `${week} ${employee}`).toSorted());
});

it('waits while hr says nothing, for somebody may have left', async () => {
  hr.program.signal('SIGSTOP');
  await aWeekPasses();
  const asked = () => here.store('gift-cards').query<{ id: string }>("select id from factline.job where queue = 'gift_cards.issue' and state <> 'done'");
  await until('the week to be asked for', async () => (await asked()).rowCount === 1);
  const { id } = (await asked()).rows[0]!;
  const progress = async () => (await ask(`${giftCards.url}/jobs/${id}`)).body;
  await until('it to say what it waits for', async () => JSON.stringify(await progress()).includes('until it is known who is employed'));
  expect(await cards()).toHaveLength(4 * (STAFF - GONE));
  hr.program.signal('SIGCONT');
  await client.change({ kind: 'end', id: staff[GONE]!.id, lastDay: '2026-01-31' });
  await until('the job to be done', async () => (await progress())['state'] === 'done');
  expect((await cards()).length).toBeGreaterThanOrEqual(5 * (STAFF - GONE) - 1);
});

it('changed no file of another app, of the libraries or of their schemas', () => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const [added] = git('log', '--diff-filter=A', '--format=%H', '--', 'apps/gift-cards/contracts.yaml').split('\n');
  const changed = git('show', '--format=', '--name-only', added!).split('\n').filter((file) => /^(apps|libs|schemas)\//.test(file));
  expect(changed.filter((file) => !/^(apps\/gift-cards|schemas\/gift_cards)\//.test(file))).toEqual([]);
  expect(changed.length).toBeGreaterThan(5);
});
