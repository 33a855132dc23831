import { advanceCommandClock } from 'factline/commands';
import { until } from 'factline/testing';
import { type StatedFact, byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate, freePort } from './support/estate.js';
import { ask } from './support/rest.js';
import { type Asked, buySeat, crowd, faultsOfSeat, lockSeat, openEvent } from './support/seats.js';

const CUSTOMERS = 500;
const SEATS = Array.from({ length: 10 }, (_, nth) => `A-${nth + 1}`);
/** While the seats are being locked. */
const ANSWERS_BEFORE = 5;
/** So that all of a crowd are let through at once. */
const SETTINGS = { TICKETING_LOCKS_PER_SECOND: '1000000', LOG_LEVEL: 'error' };
/** Two apps start, each within 90 s on a bad day. */
const STARTS_WITHIN = 180_000;
/** The killed one's partitions are another's after 10 s of silence. */
const TAKEOVER_WITHIN = 60_000;

let here: Estate;
let first: App;
let second: App;

beforeAll(async () => {
  here = await estate({ apps: ['ticketing'] });
  first = await here.start('ticketing', SETTINGS);
  const port = String(await freePort());
  second = { program: here.launch('ticketing', { ...SETTINGS, PORT: port }), url: `http://127.0.0.1:${port}` };
  await until('the second process to be ready', () => fetch(`${second.url}/health/ready`).then(({ ok }) => ok, () => false), STARTS_WITHIN);
}, STARTS_WITHIN);

afterAll(() => here?.close());

/** What any Kafka client sees of the seats of an event, without what a crash repeated; throws where a number is missing. */
async function histories(event: string): Promise<Map<string, StatedFact[]>> {
  const keys = byKey(await statedFacts({ world: here.world, prefix: `${event}/` }, 'ticketing.seat'));
  return new Map([...keys].map(([key, facts]) => [key.slice(event.length + 1), withoutRepetitions(facts)]));
}
const namesOf = (facts: readonly StatedFact[]) => facts.map(({ name }) => name.replace('ticketing.Ticket', ''));
const won = (asked: Asked) => (asked?.status === 201 ? [asked.body['lockId']] : []);
const countsOf = async (event: string) => (await ask(`${first.url}/events/${event}`)).body['seats'];

it('500 want it at once from two processes: one has it, and the others are told', async () => {
  const event = `${here.prefix}one`;
  await openEvent(first.url, event, 1);
  const asked = await crowd(CUSTOMERS, [first.url, second.url], event, ['A-1']);
  expect(asked.filter((each) => each.asked?.status === 409)).toHaveLength(CUSTOMERS - 1);
  const facts = await until('its fact', async () => (await histories(event)).get('A-1'));
  expect(facts.map(({ name, data }) => [name, data['lockId']])).toEqual(asked.flatMap((each) => won(each.asked)).map((lockId) => ['ticketing.TicketLocked', lockId]));
});

it('and when one of the two is killed with -9 in the middle, a seat is locked, released and sold, one after the other', async () => {
  const event = `${here.prefix}many`;
  await openEvent(first.url, event, SEATS.length);
  let answered = 0;
  const asked = await crowd(CUSTOMERS, [first.url, second.url], event, SEATS, (answer) => {
    if (answer && ++answered === ANSWERS_BEFORE) second.program.signal('SIGKILL');
  });
  await second.program.ended;
  expect(asked.filter((each) => each.asked === undefined).length).toBeGreaterThan(0); // or it was killed too late
  expect(asked.filter((each) => ![undefined, 201, 409].includes(each.asked?.status))).toEqual([]);
  // Who was not answered may have a seat or not; one that was let go, when the database had noticed that nobody is there, is somebody else's now.
  await until('every seat to be locked', async () => {
    asked.push(...(await crowd(SEATS.length, [first.url], event, SEATS)));
    return ((await countsOf(event)) as { locked: number }).locked === SEATS.length;
  });
  const locked = await until('all locks to be stated', async () => [await histories(event)].find(({ size }) => size === SEATS.length));
  for (const [seat, facts] of locked) {
    expect(namesOf(facts)).toEqual(['Locked']);
    const winners = asked.filter((each) => each.seat === seat).flatMap((each) => won(each.asked));
    expect([[], [facts[0]!.data['lockId']]]).toContainEqual(winners);
  }

  await advanceCommandClock(here.store('ticketing'), '10m');
  await until('all of them to expire', async () => ((await countsOf(event)) as { free: number }).free === SEATS.length, TAKEOVER_WITHIN);
  for (const seat of SEATS) {
    const { status, body } = await lockSeat(first.url, event, seat, 'next');
    expect([status, (await buySeat(first.url, event, seat, body['lockId'])).status]).toEqual([201, 200]);
  }
  expect(await countsOf(event)).toEqual({ free: 0, locked: 0, sold: SEATS.length });
  await until('all of it to be stated', async () => [...(await histories(event)).values()].every((facts) => facts.length === 4));
  for (const facts of (await histories(event)).values()) {
    expect(namesOf(facts)).toEqual(['Locked', 'Released', 'Locked', 'Sold']);
    expect(faultsOfSeat(facts)).toEqual([]);
  }
}, STARTS_WITHIN);

it('control: what is wrong with a history is seen', () => {
  const fact = (name: string, lockId: string, sequence: number) => ({ name: `ticketing.Ticket${name}`, sequence, key: 'k', data: { lockId } }) as unknown as StatedFact;
  const [locked, sold] = [fact('Locked', 'l-1', 1), fact('Sold', 'l-1', 2)];
  expect(faultsOfSeat([locked, fact('Locked', 'l-2', 2)])).toEqual(['k: fact 2 locks what is locked']);
  expect(faultsOfSeat([locked, fact('Released', 'l-2', 2)])).toEqual(['k: fact 2 ends a lock that does not hold']);
  expect(faultsOfSeat([locked, sold, fact('Locked', 'l-2', 3)])).toEqual(['k: fact 3 follows a sale']);
  expect(faultsOfSeat([locked, sold])).toEqual([]);
});
