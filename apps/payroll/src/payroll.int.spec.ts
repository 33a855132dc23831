import { type Service, openService } from 'factline/nest';
import { type FactOwner, type World, factOwner, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { PayrollModule } from './payroll.module.js';

let here: World;
let hr: FactOwner;
let payroll: Service;
let payrollDatabase: string;

const configOf = (databaseUrl: string, more: Record<string, string> = {}) =>
  readConfig({ PAYROLL_DATABASE_URL: databaseUrl, FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent', ...more });

const hired = async (id: string, location = 'BER', salaryCents = 1_200) =>
  (await hr.state('hr.EmployeeCreated', id, { name: 'Ada', email: 'a@example.com', birthDate: 7_000, salaryCents, currency: 'EUR', location, jobTitle: 'Engineer', startedOn: 20_000 })).token;

async function ask(path: string, init: RequestInit = {}, service = payroll) {
  const response = await fetch(`${service.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const run = (headers: Record<string, string> = {}, month = '2026-11') => ask('/payroll-runs', { method: 'POST', body: JSON.stringify({ month }), headers: { 'content-type': 'application/json', ...headers } });

beforeAll(async () => {
  here = await world();
  payrollDatabase = await here.database('payroll');
  hr = await factOwner(here, 'hr');
  payroll = await openService(PayrollModule, configOf(payrollDatabase));
});

afterAll(async () => {
  await payroll.close();
  await here.close();
});

describe('reading one\'s own write', () => {
  it('waits for the fact of the token, also for the one that removes the row', async () => {
    const id = `${here.name}-1`;
    const headers = { 'factline-token': await hired(id), prefer: 'wait=10' };
    const read = await ask(`/payees/${id}`, { headers });
    expect(read).toMatchObject({ status: 200, body: { employeeId: id, location: 'BER', salaryCents: 1_200, termsSince: null } });
    const moved = (await hr.state('hr.EmployeeMoved', id, { location: 'PAR' })).token;
    expect((await ask(`/payees/${id}?after=${moved}`, { headers: { prefer: 'wait=10' } })).body['location']).toBe('PAR');
    const left = (await hr.state('hr.EmployeeTerminated', id, { lastDay: 20_500 })).token;
    expect((await ask(`/payees/${id}`, { headers: { 'factline-token': left, prefer: 'wait=10' } })).status).toBe(404);
  });

  it('says "not yet" and when to come back', async () => {
    const token = Buffer.from(JSON.stringify(['hr.employee', `${here.name}-never`, 1])).toString('base64url');
    const { status, headers, body } = await ask('/payees', { headers: { 'factline-token': token, prefer: 'wait=0' } });
    expect([status, body['code'], headers.get('retry-after')]).toEqual([503, 'read.not-yet', '1']);
    expect((await ask('/payees?after=nonsense')).status).toBe(400);
  });

  it('says as of when, once the owner has stated its watermark', async () => {
    const before = Date.now();
    const asOf = await until('a watermark behind the start of this test', async () => {
      const text = (await ask('/payees')).headers.get('factline-as-of')!;
      return Date.parse(text) > before ? text : undefined;
    });
    expect(new Date(asOf).toISOString()).toBe(asOf);
  });
});

describe('a payroll run', () => {
  it('sums up by location and currency, once per idempotency key, also when ten come at once', async () => {
    const location = `X${here.name.toUpperCase()}`;
    await hired(`${here.name}-2`, location, 1_200);
    const token = await hired(`${here.name}-3`, location, 2_406);
    await ask('/payees', { headers: { 'factline-token': token, prefer: 'wait=10' } });
    await until('both payees', async () => (await ask(`/payees/${here.name}-2`)).status === 200);
    const made = await Promise.all(Array.from({ length: 10 }, () => run({ 'idempotency-key': 'november' })));
    expect(made.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(made.map(({ body }) => body['id'])).size).toBe(1);
    const { body, headers } = made[0]!;
    expect((body['lines'] as { location: string }[]).find((line) => line.location === location)).toEqual({ location, currency: 'EUR', payees: 2, amountCents: 301 });
    expect((await ask(headers.get('location')!)).body).toEqual(body);
    expect((await run({ 'idempotency-key': 'november' }, '2026-12')).status).toBe(422);
    expect((await run()).body['id']).not.toBe(body['id']);
  });

  it.each(['2026-13', '2026-1', 202_611, null, 'x'])('is not made for the month %p', async (month) => {
    expect((await run({}, month as string)).status).toBe(400);
  });

  it('that nobody made is not found', async () => {
    expect(await ask('/payroll-runs/none')).toMatchObject({ status: 404, body: { code: 'payroll-run.unknown' } });
  });
});

it('answers with its last as-of while owner, Kafka and registry are away', async () => {
  const known = Date.parse((await ask('/payees')).headers.get('factline-as-of')!);
  const alone = await openService(PayrollModule, configOf(payrollDatabase, { FACTLINE_KAFKA: '127.0.0.1:1', FACTLINE_REGISTRY_URL: 'http://127.0.0.1:1' }));
  const { status, headers } = await ask(`/payees/${here.name}-2`, {}, alone);
  expect(status).toBe(200);
  expect(Date.parse(headers.get('factline-as-of')!)).toBeGreaterThanOrEqual(known);
  expect((await ask('/health/live', {}, alone)).status).toBe(200);
  await alone.close();
});

it('keeps serving what is there when the software is newer than its tables', async () => {
  const newer = await openService(PayrollModule, configOf(payrollDatabase, { PAYROLL_PAYEES_VERSION: '2' }));
  expect((await ask(`/payees/${here.name}-2`, {}, newer)).status).toBe(200);
  await payroll.close(); // its partitions go over
  await until('the read model to be called outdated', async () => ((await ask('/health', {}, newer)).body['subscriptions'] as { state: string }[])[0]!.state === 'OUTDATED');
  await newer.close();
});
