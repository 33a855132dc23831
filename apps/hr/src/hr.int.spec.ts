import { type Service, openService } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { type World, world } from 'factline/testing';
import { readConfig } from './config.js';
import { HrModule } from './hr.module.js';

let here: World;
let service: Service;
let store: Store;
let made = 0;

const employee = (changes: object = {}) => ({
  id: `${here.name}-${++made}`,
  name: 'Zoë Müller',
  email: 'zoe@example.com',
  birthDate: '1990-04-01',
  salaryCents: 6_000_000,
  currency: 'EUR',
  location: 'BER',
  jobTitle: 'Engineer',
  startedOn: '2026-01-01',
  ...changes,
});

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const init = body === undefined ? { method, headers } : { method, headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${service.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const count = async (sql: string, id: string) => (await store.query<{ n: number }>(`select count(*)::integer as n from ${sql}`, [id])).rows[0]!.n;
const rowsOf = (id: string) => count('employee where id = $1', id);
const factsOf = (id: string) => count('factline.outbox where key = $1', id);

beforeAll(async () => {
  here = await world();
  const env = { HR_DATABASE_URL: await here.database('hr'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(HrModule, readConfig(env));
  store = service.app.get(Store);
});

afterAll(async () => {
  await service.close();
  await here.close();
});

describe('a hired employee', () => {
  it('is a row and a fact, in one transaction, and can be read', async () => {
    const body = employee();
    const hired = await send('POST', '/employees', body);
    expect(hired).toMatchObject({ status: 201, body: { ...body, version: 1, phone: null, lastDay: null } });
    expect([hired.headers.get('location'), hired.headers.get('etag')]).toEqual([`/employees/${body.id}`, '"1"']);
    expect(hired.headers.get('factline-token')).toMatch(/^[\w-]+$/);
    const { rows } = await store.query('select e.xmin::text::bigint = o.xid::text::bigint as same from employee e join factline.outbox o on o.key = e.id where e.id = $1', [body.id]);
    expect(rows).toEqual([{ same: true }]);
    const read = await send('GET', `/employees/${body.id}`);
    expect([read.status, read.headers.get('etag'), read.body]).toEqual([200, '"1"', hired.body]);
  });

  it('is neither row nor fact when the transaction fails', async () => {
    const outbox = service.app.get(FactOutbox);
    const body = employee();
    const add = outbox.add;
    outbox.add = () => Promise.reject(new Error('broken between row and fact'));
    expect((await send('POST', '/employees', body)).status).toBe(500);
    outbox.add = add;
    expect([await rowsOf(body.id), await factsOf(body.id)]).toEqual([0, 0]);
    expect((await send('POST', '/employees', body)).status).toBe(201); // the negative control
    expect([await rowsOf(body.id), await factsOf(body.id)]).toEqual([1, 1]);
  });

  it('gets an id when none is given, and no id twice', async () => {
    const { id, ...rest } = employee();
    expect((await send('POST', '/employees', rest)).body['id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect((await send('POST', '/employees', { id, ...rest })).status).toBe(201);
    expect(await send('POST', '/employees', { id, ...rest })).toMatchObject({ status: 409, body: { code: 'employee.exists' } });
    expect(await factsOf(id)).toBe(1);
  });

  it('changes, moves and leaves, each with the next version and one more fact', async () => {
    const { id } = (await send('POST', '/employees', employee({ phone: '+4930123456' }))).body as { id: string };
    const renamed = await send('PATCH', `/employees/${id}/personal-details`, { name: 'Zoe\u0308', phone: null });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Zo\u00eb', phone: null, email: 'zoe@example.com', version: 2 } });
    expect((await send('POST', `/employees/${id}/moves`, { location: 'PAR', salaryCents: 7_000_000 })).body).toMatchObject({ location: 'PAR', salaryCents: 7_000_000, currency: 'EUR', version: 3 });
    expect(await send('POST', `/employees/${id}/termination`, { lastDay: '2025-12-31' })).toMatchObject({ status: 422, body: { code: 'employee.last-day' } });
    expect((await send('POST', `/employees/${id}/termination`, { lastDay: '2026-12-31' })).body).toMatchObject({ lastDay: '2026-12-31', terminationReason: 'OTHER', version: 4 });
    for (const [path, body] of [['moves', { location: 'BER' }], ['termination', { lastDay: '2026-12-31' }]] as const) {
      expect(await send('POST', `/employees/${id}/${path}`, body)).toMatchObject({ status: 422, body: { code: 'employee.terminated' } });
    }
    expect((await send('PATCH', `/employees/${id}/personal-details`, { email: 'z@example.com' })).status).toBe(200);
    expect((await send('PATCH', `/employees/${id}/personal-details`, {})).status).toBe(400);
    expect(await factsOf(id)).toBe(5);
  });

  it('is not changed by who saw an older version', async () => {
    const { id } = (await send('POST', '/employees', employee())).body as { id: string };
    const move = (ifMatch: string) => send('POST', `/employees/${id}/moves`, { location: 'PAR' }, { 'if-match': ifMatch });
    expect(await move('"1"')).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await move('"1"')).toMatchObject({ status: 412, body: { code: 'precondition.failed' } });
    expect(await move('1')).toMatchObject({ status: 400 });
    const both = await Promise.all([move('"2"'), move('"2"')]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 412]));
    expect(await factsOf(id)).toBe(3);
  });

  it('is on one page of the list', async () => {
    const seen: string[] = [];
    for (let query = '?limit=2'; query; ) {
      const { body } = await send('GET', `/employees${query}`);
      seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
      query = body['next'] ? `?limit=2&cursor=${body['next'] as string}` : '';
    }
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen).toHaveLength(await count("employee where id <> $1", ''));
  });
});

describe('a repeated request', () => {
  it('gets the first answer and has no second effect', async () => {
    const { id, ...rest } = employee();
    const key = { 'idempotency-key': `k-${id}` };
    const first = await send('POST', '/employees', rest, key);
    const again = await send('POST', '/employees', rest, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    for (const name of ['location', 'etag', 'factline-token']) expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(await factsOf(first.body['id'] as string)).toBe(1);
    expect((await send('POST', '/employees', rest, { 'idempotency-key': `other-${id}` })).body['id']).not.toBe(first.body['id']); // the negative control
  });

  it('is refused with another body or another address', async () => {
    const body = employee();
    const key = { 'idempotency-key': `k-${body.id}` };
    await send('POST', '/employees', body, key);
    expect(await send('POST', '/employees', { ...body, location: 'PAR' }, key)).toMatchObject({ status: 422, body: { code: 'idempotency.key-reused' } });
    const move = { 'idempotency-key': `m-${body.id}` };
    expect((await send('POST', `/employees/${body.id}/moves`, { location: 'PAR' }, move)).status).toBe(200);
    expect((await send('POST', `/employees/other/moves`, { location: 'PAR' }, move)).status).toBe(422);
  });

  it('has one effect when ten come at once, and all are answered alike', async () => {
    const { id, ...rest } = employee();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('POST', '/employees', rest, { 'idempotency-key': `k-${id}` })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    expect(await factsOf(answers[0]!.body['id'] as string)).toBe(1);
  });

  it('is judged anew when the first was refused', async () => {
    const body = employee();
    const key = { 'idempotency-key': `k-${body.id}` };
    expect((await send('POST', `/employees/${body.id}/moves`, { location: 'PAR' }, key)).status).toBe(404);
    await send('POST', '/employees', body);
    expect((await send('POST', `/employees/${body.id}/moves`, { location: 'PAR' }, key)).status).toBe(200);
  });

  it('needs a usable key', async () => {
    expect(await send('POST', '/employees', employee(), { 'idempotency-key': 'x'.repeat(201) })).toMatchObject({ status: 400, body: { code: 'request.header' } });
  });
});

describe('A10, A18: a bad request is answered with a problem, never with 500', () => {
  it.each([
    ['an unknown field', { role: 'admin' }],
    ['a salary as text', { salaryCents: '6000000' }],
    ['a salary below zero', { salaryCents: -1 }],
    ['a salary that is not exact', { salaryCents: 2 ** 53 }],
    ['a fraction of a cent', { salaryCents: 0.5 }],
    ['a currency of two letters', { currency: 'EU' }],
    ['a day that does not exist', { birthDate: '1990-02-30' }],
    ['a time for a day', { startedOn: '2026-01-01T00:00:00Z' }],
    ['NUL', { name: 'a\0b' }],
    ['half a surrogate pair', { name: 'a\ud800' }],
    ['a name of 201 characters', { name: 'x'.repeat(201) }],
    ['an empty name', { name: '' }],
    ['an empty id, which would be an empty key', { id: '' }],
    ['no id but null', { id: null }],
    ['an id with a slash', { id: 'a/b' }],
    ['SQL for an id', { id: "x'; drop table employee; --" }],
    ['an address without a city', { address: { street: 's', postalCode: 'p', country: 'DE' } }],
    ['a list for an address', { address: [] }],
    ['a phone number in words', { phone: 'call me' }],
    ['no e-mail address', { email: 'zoe' }],
  ])('%s', async (_what, changes) => {
    const { status, headers, body } = await send('POST', '/employees', employee(changes));
    expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8']);
    const field = Object.keys(changes)[0]!;
    expect((body['errors'] as { path: string }[])[0]!.path.split('.')[0]).toBe(field);
  });

  it.each([
    ['GET', '/employees/%00', 400],
    ['GET', '/employees/%ff', 400],
    ['GET', '/employees/nobody', 404],
    ['GET', '/employees?limit=1000', 400],
    ['GET', '/employees?limit=1&limit=2', 400],
    ['GET', '/employees?cursor=%00', 400],
    ['GET', '/employees?role=admin', 400],
    ['DELETE', '/employees/x', 404],
  ])('%s %s', async (method, path, status) => {
    expect(await send(method, path)).toMatchObject({ status, body: { status } });
  });

  it.each([
    ['malformed JSON', '{"name":', 400],
    ['a body of 300 KiB', JSON.stringify({ name: 'x'.repeat(300 * 1024) }), 413],
    ['a nest of lists', `{"address":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 400],
  ])('%s', async (_what, body, status) => {
    expect(await send('POST', '/employees', body)).toMatchObject({ status, body: { status } });
  });

  it('a number beyond all numbers, and a field that is there twice: the last one counts, as in every JSON parser', async () => {
    const person = employee();
    const withSalary = (text: string) => send('POST', '/employees', JSON.stringify(person).replace('"salaryCents":6000000', text));
    expect(await withSalary('"salaryCents":1e400')).toMatchObject({ status: 400, body: { errors: [{ path: 'salaryCents' }] } });
    expect(await withSalary('"salaryCents":1,"salaryCents":-1')).toMatchObject({ status: 400, body: { errors: [{ path: 'salaryCents' }] } });
    expect([await rowsOf(person.id), await factsOf(person.id)]).toEqual([0, 0]);
    expect(await withSalary('"salaryCents":-1,"salaryCents":1')).toMatchObject({ status: 201, body: { salaryCents: 1 } });
  });

  it('a termination of nobody, with a reason that is none', async () => {
    expect((await send('POST', '/employees/nobody/termination', { lastDay: '2026-01-01' })).status).toBe(404);
    expect((await send('POST', '/employees/nobody/termination', { lastDay: '2026-01-01', reason: 'BORED' })).status).toBe(400);
  });
});

describe('G1: a client that asks too much', () => {
  it('is told when to come back, by a problem; nothing is done for it, and reads go on', async () => {
    const env = { HR_DATABASE_URL: await here.database('hr_limited'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent', HR_RELAY: 'off' };
    const limited = await openService(HrModule, readConfig({ ...env, HR_CHANGES_PER_MINUTE: '2' }));
    try {
      const hire = () => fetch(`${limited.url}/employees`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(employee()) });
      const answers = [await hire(), await hire(), await hire()];
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 429]);
      expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"default";q=2;w=60');
      expect(Number(answers[2]!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await answers[2]!.json()).toMatchObject({ status: 429, code: 'admission.limited' });
      const { items } = (await (await fetch(`${limited.url}/employees`)).json()) as { items: unknown[] };
      expect(items).toHaveLength(2);
    } finally {
      await limited.close();
    }
  });
});
