import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { formatId, newId } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import { LiveReactions, migrateReactions, reactions } from 'factline/reactions';
import { schemaMemory } from 'factline/store';
import { until } from 'factline/testing';
import { EmployeeMoved } from '../apps/hr/src/contracts.generated.js';
import { EmployeeCreated } from '../apps/payroll/src/contracts.generated.js';
import { loadConfig } from '../apps/cli/src/config.js';
import type { Hop } from '../apps/cli/src/trace/hop.js';
import type { TracedFact } from '../apps/cli/src/trace/story.js';
import { byKey, statedFacts } from './support/employee-topic.js';
import { type App, type Estate, estate, freePort } from './support/estate.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';
import { ROOT } from './support/root.js';

interface Told {
  facts: TracedFact[];
  unreachable: { what: string; reason: string }[];
  searched: { complete: boolean };
}

let here: Estate;
let hr: App;
let payroll: App;
let hired = 0;
const stops: (() => Promise<unknown>)[] = [];
/** Hr and payroll alone: the databases of other apps are not there, and would be named as not asked. */
const repository = mkdtempSync(join(tmpdir(), 'factline-trace-spec-'));
const trace = (args: readonly string[], settings?: Record<string, string>) => here.factline(['trace', ...args, '--root', repository], settings);

beforeAll(async () => {
  const { apps } = await loadConfig(ROOT);
  const absolute = (app: string) => {
    const { contracts, projections, facts, ...rest } = apps[app]!;
    return { ...rest, contracts: resolve(ROOT, contracts), ...(projections && { projections: projections.map((file) => resolve(ROOT, file)) }), ...(facts && { facts: resolve(ROOT, facts) }) };
  };
  writeFileSync(join(repository, 'factline.config.json'), JSON.stringify({ schemas: resolve(ROOT, 'schemas'), apps: { hr: absolute('hr'), payroll: absolute('payroll') } }));
  here = await estate();
  [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
});

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await here?.close();
  rmSync(repository, { recursive: true, force: true });
});

/** @returns the employee's id and the correlation id of the request. */
async function hire(): Promise<{ key: string; correlationId: string; token: string }> {
  const person = people(++hired, here.seed).at(-1)!;
  const correlationId = `${here.prefix}hire-${hired}`;
  const { status, headers } = await ask(`${hr.url}/employees`, 'POST', person, { 'x-correlation-id': correlationId });
  expect(status).toBe(201);
  return { key: person.id, correlationId, token: headers.get('factline-token')! };
}

const paid = async ({ key, token }: { key: string; token: string }) => expect((await ask(`${payroll.url}/payees/${key}`, 'GET', undefined, { 'factline-token': token, prefer: 'wait=10' })).status).toBe(200);

async function told(id: string, settings?: Record<string, string>): Promise<Told> {
  const { code, stdout, stderr } = await trace([id, '--json'], settings);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Told;
}

const payees = (fact: TracedFact | undefined): Hop | undefined => fact?.hops.find(({ subscription }) => subscription === 'payees');
const time = (text: Date | undefined): number => Date.parse(text as unknown as string);

it('is told from its commit to the read model, by its own id and by the correlation id of the request', async () => {
  const employee = await hire();
  const before = Date.now();
  await paid(employee);
  const [stated] = byKey(await statedFacts(here)).get(employee.key)!;
  const id = formatId(Buffer.from(stated!.id, 'hex'));
  const { facts, unreachable, searched } = await told(id);
  const [fact] = facts;
  expect(fact).toMatchObject({
    id, name: 'hr.EmployeeCreated', topic: 'hr.employee', key: employee.key, sequence: 1, correlationId: employee.correlationId, causationId: employee.correlationId,
    committed: { app: 'hr' }, published: { partition: stated!.partition, offset: stated!.offset }, caused: [],
  });
  expect(payees(fact)).toMatchObject({ app: 'payroll', kind: 'read model', generation: 1, state: 'applied' });
  const { at, after, by } = payees(fact)!;
  expect(time(at ?? by)).toBeGreaterThanOrEqual(time(at ?? after));
  expect(time(at ?? after)).toBeGreaterThanOrEqual(time(fact!.committed.at));
  expect(time(at ?? after)).toBeLessThanOrEqual(Math.max(before, Date.now()));
  expect({ unreachable, complete: searched.complete }).toEqual({ unreachable: [], complete: true });

  const of = await told(employee.correlationId);
  expect(of.facts.map((each) => each.id)).toEqual([id]);

  const { stdout } = await trace([id]);
  expect(stdout).toContain(`hr.employee[${stated!.partition}] offset ${stated!.offset}`);
  expect(stdout).toMatch(/applied +payroll payees \(read model, generation 1\)/);
});

it('is told to lie between two marks when later facts moved the checkpoint on', async () => {
  const employee = await hire();
  await paid(employee);
  const [stated] = byKey(await statedFacts(here)).get(employee.key)!;
  const place = [stated!.partition, stated!.offset];
  await until('a mark behind it', async () => (await here.store('payroll').query('select from payees.progress_mark where partition = $1 and next_offset > $2', place)).rowCount > 0);
  const moved = await ask(`${hr.url}/employees/${employee.key}/moves`, 'POST', { location: 'PAR' }, { 'x-correlation-id': `${employee.correlationId}-move` });
  await until('the move to be applied', async () => (await here.store('payroll').query('select from payees.checkpoint where partition = $1 and next_offset > $2 + 1', place)).rowCount > 0);
  expect(moved.status).toBe(200);
  const hop = payees((await told(formatId(Buffer.from(stated!.id, 'hex')))).facts[0])!;
  expect(hop).toMatchObject({ state: 'applied', after: expect.any(String), by: expect.any(String) });
  expect(hop.at).toBeUndefined();
  expect(hop.reason).toBeUndefined();
  expect(time(hop.after)).toBeLessThanOrEqual(time(hop.by));
});

it('is told with what a reaction stated because of it, which is told as far', async () => {
  await migrateReactions(here.store('hr'));
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: here.world.registryUrl }), memory: schemaMemory(here.store('hr')), produces: [EmployeeMoved] });
  await schemas.start();
  const outbox = new FactOutbox({ store: here.store('hr'), schemaIds: schemas });
  const made = reactions({ name: 'welcome', from: 'beginning' }).on(EmployeeCreated, async ({ key }, tx) => {
    if (key.startsWith(here.prefix)) await outbox.add(tx, EmployeeMoved(key, { location: 'WELCOME', jobTitle: null, salaryCents: null, currency: null }));
  });
  const log = here.world.log();
  const live = new LiveReactions(made, here.store('hr'), new FactDecoder(made.facts, schemas));
  const subscription = new FactSubscription({ name: 'welcome', group: `${here.world.name}.welcome`, topics: made.topics, log, target: live, freshness: new Freshness() });
  subscription.start();
  stops.push(() => subscription.stop());
  const employee = await hire();
  const fact = await until('the caused fact to be applied', async () => {
    const [root] = (await told(employee.correlationId)).facts;
    return payees(root?.caused[0])?.state === 'applied' ? root : undefined;
  });
  expect(fact).toMatchObject({ name: 'hr.EmployeeCreated', hops: expect.arrayContaining([expect.objectContaining({ app: 'hr', subscription: 'welcome', kind: 'reactions', state: 'applied' })]) });
  const [caused] = fact.caused;
  expect(caused).toMatchObject({ name: 'hr.EmployeeMoved', key: employee.key, sequence: 2, causationId: fact.id, correlationId: employee.correlationId, caused: [] });
  expect(caused!.hops).toEqual(expect.arrayContaining([expect.objectContaining({ subscription: 'welcome', state: 'passed-by', reason: 'it does not select hr.EmployeeMoved' })]));
  const handled = fact.hops.find(({ subscription: name }) => name === 'welcome')!;
  expect(time(handled.at ?? handled.by)).toBeGreaterThanOrEqual(time(handled.at ?? handled.after));
  expect(time(handled.at ?? handled.by)).toBeGreaterThanOrEqual(time(fact.published!.at));
});

it('is not seen yet where no process reads it, waits where nobody publishes, and what does not answer is named', async () => {
  await payroll.program.stop();
  const unread = await hire();
  await until('it to be published', async () => byKey(await statedFacts(here)).has(unread.key));
  const lagging = (await told(unread.correlationId)).facts[0];
  expect(payees(lagging)).toMatchObject({ state: 'not-seen-yet', reason: expect.stringMatching(/^no process of payroll is connected to its database; (it is the next one|\d+ facts? lies? before it)$/) });

  await hr.program.stop();
  hr = await here.start('hr', { HR_RELAY: 'off' });
  const waiting = await hire();
  const [unpublished] = (await told(waiting.correlationId)).facts;
  expect(unpublished).toMatchObject({ published: null, committed: { app: 'hr', outbox: 'waits', reason: 'nobody publishes: start hr, or factline relay --app hr' } });
  expect(payees(unpublished)).toMatchObject({ state: 'not-seen-yet', reason: expect.stringContaining('it waits in the outbox') });
  expect(await told(unpublished!.id)).toMatchObject({ facts: [{ id: unpublished!.id, published: null }] });

  const nowhere = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  const withoutPayroll = await told(unread.correlationId, { PAYROLL_DATABASE_URL: nowhere });
  expect(withoutPayroll.unreachable).toEqual([{ what: 'the database of payroll', reason: expect.any(String) }]);
  expect(withoutPayroll.facts[0]!.hops.map(({ app }) => app)).not.toContain('payroll');
});

it('is unknown when nobody knows it, which is another answer than that somebody could not be asked', async () => {
  for (const id of [formatId(newId()), `${here.prefix}nobody`]) {
    const unknown = await trace([id, '--json']);
    expect([unknown.code, unknown.stdout]).toEqual([2, '']);
    expect(JSON.parse(unknown.stderr)).toMatchObject({ error: 'trace.unknown', kind: 'not-found' });
  }
  const tooOld = await trace([`${here.prefix}hire-1`, '--since', '1ms', '--json']);
  expect([tooOld.code, JSON.parse(tooOld.stderr)]).toMatchObject([2, { error: 'trace.unknown' }]);
  const away = { FACTLINE_KAFKA: `127.0.0.1:${await freePort()}` };
  const incomplete = await trace([formatId(newId()), '--json'], away);
  expect([incomplete.code, JSON.parse(incomplete.stderr)]).toMatchObject([3, { error: 'trace.incomplete', details: { unreachable: [{ what: 'the log' }] } }]);
});
