import { advanceCommandClock } from 'factline/commands';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import type { Mission } from '../../support/mission.js';
import { ask } from '../../support/rest.js';
import { type Asked, buySeat, crowd, lockSeat, openEvent } from '../../support/seats.js';
import { type Chapter, type Story, must, seconds } from '../story.js';

const CUSTOMERS = 500;
/** Also a busy machine takes more in a second than are let through. */
const [SPIKE, A_SECOND, MAY_WAIT] = [200, 12, 100];
/** Looks at those who wait. */
const LOOK_EVERY_MS = 1_000;

/** Seats under contention: one winner, a lock that expires, and a spike in which everybody sees how far the queue is. */
export const ticketing: Chapter = {
  apps: ['ticketing'],
  tell: async (story, mission) => {
    const store = new Store({ url: mission.host.environment['TICKETING_DATABASE_URL']!, applicationName: 'demo', connections: 1 });
    try {
      await sellOneSeat(story, mission, store);
      await takeASpike(story, mission);
    } finally {
      await store.close();
    }
  },
};

const statusesOf = (answers: readonly { asked: Asked }[]) => (status: number) => answers.filter(({ asked }) => asked?.status === status);

async function sellOneSeat(story: Story, mission: Mission, store: Store): Promise<void> {
  const { url } = await mission.host.start('ticketing', { TICKETING_LOCKS_PER_SECOND: '1000000' });
  await story.step(`${CUSTOMERS} customers want the same seat at the same moment`, async () => {
    await openEvent(url, 'flute', 1);
    const started = performance.now();
    const answers = await crowd(CUSTOMERS, [url], 'flute', ['A-1']);
    const [won, lost] = [201, 409].map((status) => statusesOf(answers)(status).length);
    must(won === 1 && lost === CUSTOMERS - 1, `${won} have the seat, and ${lost} were told that it is taken`);
    return `1 has it, ${lost} were told that it is taken, all within ${seconds(performance.now() - started)}`;
  });
  await story.step('Let ten minutes pass, in which the winner does not buy', async (say) => {
    await advanceCommandClock(store, '10m');
    const next = await until('the next one to get it', async () => [await lockSeat(url, 'flute', 'A-1', 'the-next')].find(({ status }) => status === 201), 30_000);
    say(`POST /events/flute/seats/A-1/locks: ${JSON.stringify(next.body)}`);
    must((await buySeat(url, 'flute', 'A-1', next.body['lockId'])).status === 200, 'the next one cannot buy it');
    must((await lockSeat(url, 'flute', 'A-1', 'too-late')).status === 409, 'a seat that is sold was locked');
    return 'the lock expired by itself, the next one got the seat and bought it, and nobody gets it any more';
  });
  await mission.host.stopAll();
}

async function takeASpike(story: Story, mission: Mission): Promise<void> {
  const { url } = await mission.host.start('ticketing', { TICKETING_LOCKS_PER_SECOND: String(A_SECOND), TICKETING_MAY_WAIT: String(MAY_WAIT) });
  await story.step(`${SPIKE} customers come at once, each for a seat, and ${A_SECOND} a second are let through`, async (say) => {
    const seats = Array.from({ length: 100 }, (_, nth) => `A-${nth + 1}`);
    await openEvent(url, 'carmen', seats.length);
    await openEvent(url, 'tosca', seats.length);
    const answers = (await Promise.all(['carmen', 'tosca'].map((event) => crowd(SPIKE / 2, [url], event, seats)))).flat();
    const answered = statusesOf(answers);
    const turns = answered(202).map(({ asked }) => asked!.body['job'] as string);
    const [held, late] = [answered(201).length, answered(503)];
    say(`${held} have their seat, ${turns.length} wait${late[0] ? `, ${late.length} were told to come back in ${late[0].asked!.headers.get('retry-after')} s` : ''}`);
    must(turns.length > A_SECOND && held + turns.length + late.length === SPIKE, 'not everybody was answered as promised');
    const places = await watch(url, turns, say);
    must(places.length > 1 && places.every((place, nth) => nth === 0 || place <= places[nth - 1]!), `the position of the last one was ${places.join(', ')}`);
    const outcomes = await Promise.all(turns.map((job) => until('every turn to come', async () => [(await ask(`${url}/jobs/${job}`)).body].find(({ state }) => state === 'done'))));
    must(outcomes.every(({ result }) => (result as { outcome: string }).outcome === 'locked'), 'a turn did not end with a seat that nobody else wanted');
    return `the last one saw the positions ${places.join(', ')}; every turn came, and ended with a seat`;
  });
}

/** Three of those who wait, until their turns have come. @returns the positions that the last of them saw. */
async function watch(url: string, turns: readonly string[], say: (text: string) => void): Promise<number[]> {
  const shown = [0.25, 0.6, 1].map((share) => turns[Math.ceil(share * turns.length) - 1]!);
  const places: number[] = [];
  let told = -Infinity;
  await until(
    'their turns to come',
    async () => {
      const bodies = await Promise.all(shown.map(async (job) => (await ask(`${url}/jobs/${job}`)).body));
      const done = bodies.every(({ state }) => state === 'done');
      if (!done && performance.now() - told < LOOK_EVERY_MS) return false;
      told = performance.now();
      say(bodies.map(({ state, position, expectedWaitMs }) => (state === 'queued' ? `place ${String(position)}, ${seconds(Number(expectedWaitMs ?? 0))} to go` : String(state))).join('   '));
      const { position } = bodies.at(-1)!;
      if (typeof position === 'number') places.push(position);
      return done;
    },
    30_000,
  );
  return places;
}
