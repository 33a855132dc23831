import { type Service, openService } from 'factline/nest';
import { Store } from 'factline/store';
import { type FactOwner, type World, factOwner, world } from 'factline/testing';
import { readConfig } from './config.js';
import { TimesheetsModule } from './timesheets.module.js';

let here: World;
let hr: FactOwner;
let service: Service;
let made = 0;

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}${path}`, { method, headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const newId = () => `${here.name}-${++made}`;
const factsOf = async (key: string) => (await service.app.get(Store).query<{ topic: string }>('select topic from factline.outbox where key = $1 order by sequence', [key])).rows.map(({ topic }) => topic);

/** Hired on day 20,454, which is 2026-01-01. @returns id, and the headers of a reader who has to see it */
async function hired() {
  const id = newId();
  const { token } = await hr.state('hr.EmployeeCreated', id, { name: 'Ada', email: 'a@example.com', birthDate: 7_000, salaryCents: 1_200, currency: 'EUR', location: 'BER', jobTitle: 'Engineer', startedOn: 20_454 });
  return { id, seen: { 'factline-token': token, prefer: 'wait=10' } };
}

async function openJob() {
  const locationId = newId().toUpperCase();
  expect((await send('POST', '/locations', { id: locationId, name: 'Berlin' })).status).toBe(201);
  const { body } = await send('POST', '/jobs', { title: 'Migrate the till', locationId });
  return { id: body['id'] as string, locationId };
}

const record = (employeeId: string, jobId: string, headers: Record<string, string> = {}, changes: object = {}) => send('POST', '/time-entries', { employeeId, jobId, day: '2026-03-02', minutes: 90, ...changes }, headers);

beforeAll(async () => {
  here = await world();
  hr = await factOwner(here, 'hr');
  const env = { TIMESHEETS_DATABASE_URL: await here.database('timesheets'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(TimesheetsModule, readConfig(env));
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

describe('locations and jobs', () => {
  it('are opened and closed, each time a row and a fact', async () => {
    const { id, locationId } = await openJob();
    expect((await send('GET', `/jobs/${id}`)).body).toEqual({ id, title: 'Migrate the till', locationId, open: true });
    expect(await send('POST', `/locations/${locationId}/closing`)).toMatchObject({ status: 422, body: { code: 'location.in-use' } });
    expect(await send('POST', `/jobs/${id}/closing`)).toMatchObject({ status: 200, body: { open: false } });
    expect(await send('POST', `/jobs/${id}/closing`)).toMatchObject({ status: 422, body: { code: 'job.closed' } });
    expect(await send('POST', `/locations/${locationId}/closing`)).toMatchObject({ status: 200, body: { open: false } });
    expect(await send('POST', `/locations/${locationId}/closing`)).toMatchObject({ status: 422, body: { code: 'location.closed' } });
    expect(await send('POST', '/jobs', { title: 'Too late', locationId })).toMatchObject({ status: 422, body: { code: 'location.closed' } });
    expect([await factsOf(id), await factsOf(locationId)]).toEqual([['timesheets.job', 'timesheets.job'], ['timesheets.location', 'timesheets.location']]);
  });

  it('are not opened twice, nor where there is no location', async () => {
    const { id, locationId } = await openJob();
    expect(await send('POST', '/locations', { id: locationId, name: 'Again' })).toMatchObject({ status: 409, body: { code: 'location.exists' } });
    expect(await send('POST', '/jobs', { id, title: 'Again', locationId })).toMatchObject({ status: 409, body: { code: 'job.exists' } });
    expect(await send('POST', '/jobs', { title: 'Nowhere', locationId: 'NOWHERE' })).toMatchObject({ status: 422, body: { code: 'location.unknown' } });
    expect([await factsOf(id), await factsOf(locationId)]).toEqual([['timesheets.job'], ['timesheets.location']]);
    for (const path of ['/locations/NOWHERE', '/jobs/none', '/time-entries/none']) expect((await send('GET', path)).status).toBe(404);
    for (const path of ['/locations/NOWHERE/closing', '/jobs/none/closing']) expect((await send('POST', path)).status).toBe(404);
  });

  it('are never a job opened at a location that was closed at the same moment', async () => {
    const race = async () => {
      const locationId = newId().toUpperCase();
      await send('POST', '/locations', { id: locationId, name: 'Berlin' });
      const [closing, job] = await Promise.all([send('POST', `/locations/${locationId}/closing`), send('POST', '/jobs', { title: 'At the same time', locationId })]);
      return [closing.status, job.status].toSorted((a, b) => a - b);
    };
    const races = await Promise.all(Array.from({ length: 10 }, race));
    for (const [winner, loser] of races) expect([[200, 201].includes(winner!), loser]).toEqual([true, 422]);
  });
});

describe('time', () => {
  it('is recorded for who was hired, on an open job, as a row and a fact of their timesheet', async () => {
    const [{ id, seen }, job] = [await hired(), await openJob()];
    const entry = await record(id, job.id, seen);
    expect(entry).toMatchObject({ status: 201, body: { employeeId: id, jobId: job.id, day: '2026-03-02', minutes: 90 } });
    expect(entry.headers.get('factline-token')).toMatch(/^[\w-]+$/);
    expect((await send('GET', entry.headers.get('location')!)).body).toEqual(entry.body);
    expect((await send('GET', `/time-entries?employeeId=${id}`)).body).toEqual({ items: [entry.body], next: null });
    expect(await factsOf(id)).toEqual(['timesheets.timesheet']);
  });

  it('is not recorded for strangers, before the first day, after the last, or on a job that is closed or none', async () => {
    const [{ id, seen }, job, done] = [await hired(), await openJob(), await openJob()];
    expect(await record(newId(), job.id)).toMatchObject({ status: 422, body: { code: 'employee.unknown' } });
    expect(await record(id, job.id, seen, { day: '2025-12-31' })).toMatchObject({ status: 422, body: { code: 'employee.not-employed' } });
    const { token } = await hr.state('hr.EmployeeTerminated', id, { lastDay: 20_514 }); // 2026-03-02
    expect(await record(id, job.id, { ...seen, 'factline-token': token }, { day: '2026-03-03' })).toMatchObject({ status: 422, body: { code: 'employee.not-employed' } });
    expect((await record(id, job.id)).status).toBe(201); // the last day itself, and the negative control
    await send('POST', `/jobs/${done.id}/closing`);
    expect(await record(id, done.id)).toMatchObject({ status: 422, body: { code: 'job.closed' } });
    expect(await record(id, 'none')).toMatchObject({ status: 422, body: { code: 'job.unknown' } });
    expect(await factsOf(id)).toHaveLength(1);
  });

  it('is recorded once for each idempotency key, also when ten come at once', async () => {
    const [{ id, seen }, job] = [await hired(), await openJob()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => record(id, job.id, { ...seen, 'idempotency-key': `k-${id}` })));
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    expect(await factsOf(id)).toHaveLength(1);
    await record(id, job.id); // the negative control: without a key it is another entry
    expect(await factsOf(id)).toHaveLength(2);
  });

  it.each([{ minutes: 0 }, { minutes: 1_441 }, { minutes: '90' }, { day: '2026-02-30' }, { employeeId: '' }, { jobId: null }, { rate: 1 }])('is refused as %j', async (changes) => {
    const { status, body } = await record('e-1', 'j-1', {}, changes);
    expect([status, (body['errors'] as { path: string }[])[0]!.path]).toEqual([400, Object.keys(changes)[0]]);
  });
});

it('shows its interface and its health', async () => {
  const { body } = await send('GET', '/openapi.json');
  expect(Object.keys(body['paths'] as object)).toEqual(expect.arrayContaining(['/locations', '/jobs', '/time-entries', '/time-entries/{id}']));
  expect((await send('GET', '/health')).body).toMatchObject({ subscriptions: [{ name: 'staff' }] });
});
