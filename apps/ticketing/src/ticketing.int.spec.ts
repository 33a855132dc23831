import { advanceCommandClock } from 'factline/commands';
import { until } from 'factline/testing';
import { readConfig } from './config.js';
import { SeatsRepository } from './seats.repository.js';
import { BoxOffice, tally } from './ticketing.spec.support.js';

let office: BoxOffice;

beforeAll(async () => {
  office = await BoxOffice.open({ TICKETING_LOCKS_PER_SECOND: '1000000' });
});

afterAll(() => office?.close());

const crowd = (size: number, event: string, seat: string) => Promise.all(Array.from({ length: size }, (_, nth) => office.lock(event, seat, `c-${nth}`)));
const timePasses = () => advanceCommandClock(office.store, '10m');

describe('a seat', () => {
  it('is locked, bought, and nobody else’s from then on', async () => {
    const event = await office.event(2, 1);
    const lock = await office.lock(event, 'A-1', 'ada');
    expect(lock).toMatchObject({ status: 201, body: { lockId: expect.any(String) as string, lockedUntil: expect.stringMatching(/^20.*Z$/) as string } });
    expect(lock.headers.get('factline-token')).toMatch(/^[\w-]+$/);
    expect(await office.lock(event, 'A-1', 'ben')).toMatchObject({ status: 409, body: { code: 'seat.taken' } });
    expect((await office.send('GET', `/events/${event}`)).body).toEqual({ id: event, name: 'The Magic Flute', priceCents: 4_500, currency: 'EUR', seats: { free: 2, locked: 1, sold: 0 } });
    const { lockId } = lock.body;
    expect(await office.purchase(event, 'A-1', lockId)).toMatchObject({ status: 200, body: { lockId, priceCents: 4_500, currency: 'EUR', soldAt: expect.stringMatching(/^20.*Z$/) as string } });
    expect(await office.purchase(event, 'A-1', lockId)).toMatchObject({ status: 409, body: { code: 'seat.sold' } });
    expect(await office.lock(event, 'A-1', 'ben')).toMatchObject({ status: 409, body: { code: 'seat.taken' } });
    expect((await office.send('GET', `/events/${event}/seats?limit=2`)).body).toMatchObject({ items: [{ seat: 'A-1', status: 'sold', lockedUntil: null }, { seat: 'A-2', status: 'free' }], next: expect.any(String) as string });
    expect([await office.facts(event, 'A-1'), await office.releases(event, 'A-1')]).toEqual([2, ['cancelled']]);
  });

  it('is given back by who has the lock, and is then another’s', async () => {
    const event = await office.event(1);
    const lockId = await office.locked(event, 'A-1');
    const path = `/events/${event}/seats/A-1/locks/${lockId}`;
    expect((await office.send('DELETE', path, undefined, { 'idempotency-key': lockId })).status).toBe(204);
    expect((await office.send('DELETE', path, undefined, { 'idempotency-key': lockId })).status).toBe(204);
    expect(await office.send('DELETE', path)).toMatchObject({ status: 404, body: { code: 'lock.unknown' } });
    expect(await office.releases(event, 'A-1')).toEqual(['cancelled']);
    await office.locked(event, 'A-1', 'ben');
    expect(await office.facts(event, 'A-1')).toBe(3);
  });

  it('is locked once for each idempotency key', async () => {
    const event = await office.event(1);
    const key = { 'idempotency-key': `k-${event}` };
    const [first, again] = [await office.lock(event, 'A-1', 'ada', key), await office.lock(event, 'A-1', 'ada', key)];
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(await office.facts(event, 'A-1')).toBe(1);
    expect((await office.lock(event, 'A-1', 'ada')).status).toBe(409); // the negative control
  });
});

describe('500 who want one seat at once', () => {
  it('are one who has it and 499 who are told that it is taken, with one fact', async () => {
    const event = await office.event(1);
    const answers = await crowd(500, event, 'A-1');
    expect(tally(answers)).toEqual({ 201: 1, 409: 499 });
    expect(new Set(answers.map(({ body }) => body['code']))).toEqual(new Set([undefined, 'seat.taken']));
    expect(await office.facts(event, 'A-1')).toBe(1);
    const winner = answers.find(({ status }) => status === 201)!;
    expect((await office.purchase(event, 'A-1', winner.body['lockId'])).status).toBe(200);
  });

  it('control: have it several times where a seat is looked at and then taken', async () => {
    const event = await office.event(1);
    const seats = office.service.app.get(SeatsRepository);
    const find = seats.find.bind(seats);
    let looked = 0;
    let letGo!: () => void;
    const allHaveLooked = new Promise<void>((resolve) => (letGo = resolve));
    seats.find = async (place, hold, db) => {
      const seen = await find(place, '', db);
      if (hold === '') return seen;
      if (++looked === 5) letGo();
      await allHaveLooked;
      return seen;
    };
    const answers = await crowd(5, event, 'A-1');
    seats.find = find;
    expect(tally(answers)).toEqual({ 201: 5 });
    expect(await office.facts(event, 'A-1')).toBe(5);
  });
});

describe('a lock', () => {
  it('ends when its time is over, and the next one gets the seat', async () => {
    const event = await office.event(1);
    const lockId = await office.locked(event, 'A-1');
    await timePasses();
    await until('the release', async () => (await office.statusOf(event, 'A-1')) === 'free');
    expect(await office.purchase(event, 'A-1', lockId)).toMatchObject({ status: 404, body: { code: 'lock.unknown' } });
    const next = await office.locked(event, 'A-1', 'ben');
    expect((await office.purchase(event, 'A-1', next)).status).toBe(200);
    expect([await office.facts(event, 'A-1'), await office.releases(event, 'A-1')]).toEqual([4, ['done', 'cancelled']]);
  });

  it('buys nothing any more from then on, also when its release is late, and holds nobody off', async () => {
    const event = await office.event(1);
    const lockId = await office.locked(event, 'A-1');
    await office.store.query(`update seat set locked_until = clock_timestamp() where event_id = $1`, [event]);
    expect(await office.purchase(event, 'A-1', lockId)).toMatchObject({ status: 409, body: { code: 'lock.expired' } });
    expect((await office.send('GET', `/events/${event}`)).body).toMatchObject({ seats: { free: 1, locked: 0 } });
    const next = await office.locked(event, 'A-1', 'ben');
    expect(await office.facts(event, 'A-1')).toBe(3); // locked, released, locked
    expect(next).not.toBe(lockId);
  });

  it('is not ended by the release of the one before it', async () => {
    const event = await office.event(1);
    await office.locked(event, 'A-1');
    await office.store.query(`update seat set locked_until = clock_timestamp() where event_id = $1`, [event]);
    await office.store.query(`update factline.waiting_command set not_before = factline.command_now() + interval '1 second' where key = $1`, [`ticketing/${event}/A-1`]);
    const next = await office.locked(event, 'A-1', 'ben');
    await until('the release of the first', async () => (await office.releases(event, 'A-1'))[0] === 'done');
    const { rows } = await office.store.query<{ result: unknown }>(`select result from factline.job where key = $1 and state = 'done'`, [`${event}/A-1`]);
    expect(rows).toEqual([{ result: { outcome: 'lock.unknown' } }]);
    expect((await office.purchase(event, 'A-1', next)).status).toBe(200);
  });

  it('is not bought while its release runs, which has won', async () => {
    const event = await office.event(1);
    const lockId = await office.locked(event, 'A-1');
    await office.store.transaction(async (running) => {
      await running.query(`select from factline.job where key = $1 for update`, [`${event}/A-1`]);
      expect(await office.purchase(event, 'A-1', lockId)).toMatchObject({ status: 409, body: { code: 'lock.expired' } });
    });
    expect((await office.purchase(event, 'A-1', lockId)).status).toBe(200); // the negative control
    expect(await office.facts(event, 'A-1')).toBe(2);
  });

  it('ends by a sale or by its time when both come at once, never by both', async () => {
    const seats = Array.from({ length: 30 }, (_, nth) => `A-${nth + 1}`);
    const event = await office.event(seats.length);
    const locks = await Promise.all(seats.map((seat) => office.locked(event, seat)));
    const [answers] = await Promise.all([buySlowly(event, seats, locks), timePasses()]);
    await until('every lock to have ended', async () => ((await office.send('GET', `/events/${event}`)).body['seats'] as { locked: number }).locked === 0);
    const ended = await Promise.all(seats.map((seat) => office.statusOf(event, seat)));
    expect(ended).toEqual(answers.map(({ status }) => (status === 200 ? 'sold' : 'free')));
    for (const seat of seats) expect(await office.facts(event, seat)).toBe(2);
    expect(Object.keys(tally(answers)).length).toBeGreaterThan(1); // or they did not meet
  });

  /** One after the other, so that the releases come in between. */
  async function buySlowly(event: string, seats: readonly string[], locks: readonly string[]) {
    const answers = [];
    for (const [nth, seat] of seats.entries()) {
      answers.push(await office.purchase(event, seat, locks[nth]));
      if (nth === 5) await until('a release', async () => ((await office.send('GET', `/events/${event}`)).body['seats'] as { free: number }).free > 0);
    }
    return answers;
  }
});

describe('a bad request is answered with a problem, never with 500', () => {
  const good = { name: 'Flute', rows: [{ row: 'A', seats: 1 }], priceCents: 1, currency: 'EUR' };
  it.each([
    ['no rows', { rows: [] }, 'rows'],
    ['a row without seats', { rows: [{ row: 'A', seats: 0 }] }, 'rows.0.seats'],
    ['a row with a hyphen', { rows: [{ row: 'A-1', seats: 1 }] }, 'rows.0.row'],
    ['an id with a slash', { id: 'a/b' }, 'id'],
    ['a negative price', { priceCents: -1 }, 'priceCents'],
  ])('%s', async (_what, changes, path) => {
    expect(await office.send('POST', '/events', { ...good, ...changes })).toMatchObject({ status: 400, body: { errors: [expect.objectContaining({ path })] } });
  });

  it('a row twice, an event twice, a seat, an event and a lock that there are not', async () => {
    const row = { row: 'A', seats: 1 };
    expect(await office.send('POST', '/events', { ...good, rows: [row, row] })).toMatchObject({ status: 400, body: { code: 'event.row-twice' } });
    const event = await office.event(1);
    expect(await office.send('POST', '/events', { ...good, id: event })).toMatchObject({ status: 409, body: { code: 'event.exists' } });
    expect(await office.lock(event, 'B-1', 'ada')).toMatchObject({ status: 404, body: { code: 'seat.unknown' } });
    for (const path of ['/events/none', '/events/none/seats']) expect(await office.send('GET', path)).toMatchObject({ status: 404, body: { code: 'event.unknown' } });
    expect((await office.purchase(event, 'A-1', 'none')).status).toBe(400);
    expect(await office.purchase(event, 'A-1', '00000000-0000-7000-8000-000000000000')).toMatchObject({ status: 404, body: { code: 'lock.unknown' } });
  });
});

it('does not start without its settings, and names all that are missing', () => {
  expect(() => readConfig({})).toThrow(/TICKETING_DATABASE_URL.*FACTLINE_KAFKA.*FACTLINE_REGISTRY_URL/);
});
