import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { LiveReactions, Redriver, migrateReactions, reactions } from 'factline/reactions';
import { type Store, schemaMemory } from 'factline/store';
import { until } from 'factline/testing';
import { EmployeeCreated } from '../apps/payroll/src/contracts.generated.js';
import { type Estate, estate } from './support/estate.js';
import { HrClient } from './support/hr-client.js';
import { people } from './support/people.js';

const NAME = 'greetings';
let here: Estate;
let store: Store;
let subscription: FactSubscription;
let redriver: Redriver;
let ids: string[];
let hr: HrClient;
/** The handler is broken for these. */
const broken = new Set<string>();
const folder = mkdtempSync(join(tmpdir(), 'factline-letters-'));

beforeAll(async () => {
  here = await estate();
  const app = await here.start('hr');
  const hired = people(6, here.seed);
  ids = hired.map(({ id }) => id);
  for (const id of ids.slice(0, 3)) broken.add(id);
  hr = new HrClient(app.url);
  for (const person of hired) await hr.hire(person);
  store = here.world.store(here.databaseUrl('payroll'));
  await migrateReactions(store);
  await store.query('create table greeting (employee_id text not null, name text not null)');
  const log = here.world.log();
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: here.world.registryUrl }), memory: schemaMemory(store) });
  await schemas.start();
  const made = reactions({ name: NAME, from: 'beginning' }).on(EmployeeCreated, async ({ key, data }, tx) => {
    if (!ids.includes(key)) return; // the topic is shared with other specs
    if (broken.has(key)) throw new FactlineError({ code: 'greetings.unwilling', kind: 'refused', message: 'nobody is greeted so' });
    await tx.query('insert into greeting (employee_id, name) values ($1, $2)', [key, data.name]);
  });
  const live = new LiveReactions(made, store, new FactDecoder(made.facts, schemas), 'payroll');
  await live.prepare();
  subscription = new FactSubscription({ name: NAME, group: `${here.world.name}.${NAME}`, topics: made.topics, log, target: live, freshness: new Freshness() });
  redriver = new Redriver({ reactions: made, inbox: live.inbox, store, log, decoder: new FactDecoder(made.facts, schemas) });
  subscription.start();
  redriver.start();
  await until('what can be greeted', async () => (await greeted()).length === 3 && (await blocked()) === 3);
});

afterAll(async () => {
  await Promise.all([subscription?.stop(), redriver?.stop()]);
  await here?.close();
  rmSync(folder, { recursive: true, force: true });
});

const greeted = async () => (await store.query<{ employee_id: string; name: string }>('select employee_id, name from greeting order by employee_id')).rows;
const blocked = async () => (await store.query<{ keys: number }>(`select count(distinct key)::integer as keys from ${NAME}.dead_letter`)).rows[0]!.keys;
const letters = (...args: string[]) => here.factline(['dead-letters', args[0]!, NAME, '--app', 'payroll', ...args.slice(1)]);

it('shows what is blocked, by reason and schema, and the facts of a key as the app reads them', async () => {
  const list = await letters('list');
  expect(list).toMatchObject({ code: 0, stdout: expect.stringMatching(/3 keys {2}greetings\.unwilling.*\(schema \d+\)/) as string });
  const schema = /\(schema (\d+)\)/.exec(list.stdout)![1]!;
  expect(await letters('list', '--schema', schema)).toMatchObject({ code: 0, stdout: expect.stringContaining('3 keys are blocked') as string });
  expect(await letters('list', '--schema', '4294967295')).toMatchObject({ code: 0, stdout: expect.stringContaining('no key is blocked') as string });
  const got = await letters('get', '--key', ids[0]!, '--json');
  expect(JSON.parse(got.stdout)).toMatchObject({ key: ids[0], code: 'greetings.unwilling', fact: { name: 'hr.EmployeeCreated', data: { employeeId: ids[0] } } });
  expect(got.stdout).not.toContain('email'); // payroll does not select it
});

it('stops a requeue when the first key fails again, and says so with its exit code', async () => {
  const { code, stdout } = await letters('requeue', '--all');
  expect([code, stdout]).toEqual([100, expect.stringMatching(/1 keys are blocked still\nstopped, 2 keys left as they are: .*greetings\.unwilling/) as string]);
});

it('refuses an edit that is not what the app selects, with the path; takes a sound one, and handles it', async () => {
  const data = join(folder, 'data.json');
  const edit = (content: object) => {
    writeFileSync(data, JSON.stringify(content));
    return letters('edit', '--key', ids[0]!, '--offset', offset, '--data', data, '--reason', 'misspelt', '--by', 'lea');
  };
  const { fact, offset: at } = JSON.parse((await letters('get', '--key', ids[0]!, '--json')).stdout) as { fact: { data: object }; offset: number };
  const offset = String(at);
  expect(await edit({ ...fact.data, salaryCents: 'much' })).toMatchObject({ code: 2, stderr: expect.stringContaining('salaryCents') as string });
  expect(await edit({ ...fact.data, name: 'Ada' })).toMatchObject({ code: 0, stdout: expect.stringContaining('becomes "Ada"') as string });
  broken.delete(ids[0]!);
  expect(await letters('requeue', '--key', ids[0]!)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 facts of 1 keys handled') as string });
  expect(await greeted()).toContainEqual({ employee_id: ids[0], name: 'Ada' });
});

it('requeues the rest after the repair, and gives one up with a reason', async () => {
  expect((await letters('purge', '--key', ids[1]!, '--reason', 'has left', '--by', 'lea')).code).toBe(0);
  broken.clear();
  expect((await letters('requeue', '--code', 'greetings.unwilling', '--json')).code).toBe(0);
  expect((await greeted()).map(({ employee_id: id }) => id).toSorted()).toEqual(ids.filter((id) => id !== ids[1]).toSorted());
  expect(await letters('list')).toMatchObject({ code: 0, stdout: expect.stringContaining('no key is blocked') as string });
  expect((await store.query('select reason, given_up_by from factline.given_up_fact')).rows).toEqual([{ reason: 'has left', given_up_by: 'lea' }]);
});

it('asks for a filter', async () => {
  expect(await letters('requeue')).toMatchObject({ code: 2, stderr: expect.stringContaining('Name a key, a code or a schema') as string });
});

it('C16: a rebuild from offset zero of a read model of the same app runs no handler; a new fact does', async () => {
  const before = await greeted();
  const payroll = await here.start('payroll');
  expect(await here.factline(['replay', 'run', 'payees', '--app', 'payroll', '--json'])).toMatchObject({ code: 0 });
  expect(await greeted()).toEqual(before);
  const [next] = people(7, here.seed).slice(6);
  ids.push(next!.id);
  await hr.hire(next!);
  await until('the new one', async () => (await greeted()).length === before.length + 1);
  await payroll.program.stop();
});
