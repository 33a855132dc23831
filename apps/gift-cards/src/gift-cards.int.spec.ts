import { type Service, openService } from 'factline/nest';
import { type FactOwner, type World, factOwner, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { GiftCardsModule } from './gift-cards.module.js';

const WEEK_MS = 7 * 86_400_000;
const A_MONDAY = Date.parse('1950-01-02');

let here: World;
let hr: FactOwner;
let service: Service;
/** Others use the queue of this stack too: these weeks are this spec's own. */
let weeks: string[];

const person = { name: 'Ada', email: 'a@example.com', birthDate: 7_000, salaryCents: 1_200, currency: 'EUR', location: 'BER', jobTitle: 'Engineer', startedOn: 20_000 };
const hired = (...names: string[]) => hr.stateAll(names.map((name) => ['hr.EmployeeCreated', `${here.name}-${name}`, person] as const));

async function ask(path: string, method = 'GET') {
  const answer = await fetch(`${service.url}${path}`, { method });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const issue = (week: string) => ask(`/weeks/${week}/cards`, 'POST');
const issued = async (week: string) => {
  const { body } = await ask(`/weeks/${week}/cards?limit=200&cursor=${Buffer.from(here.name).toString('base64url')}`);
  return (body['items'] as { employeeId: string }[]).map(({ employeeId }) => employeeId).filter((id) => id.startsWith(here.name));
};
async function done(job: unknown): Promise<Record<string, unknown>> {
  const state = async () => (await ask(`/jobs/${String(job)}`)).body;
  await until('the cards to be issued', async () => (await state())['state'] === 'done');
  return state();
}

beforeAll(async () => {
  here = await world();
  hr = await factOwner(here, 'hr');
  const first = Number.parseInt(here.name.slice(1), 16) % 10_000;
  weeks = [0, 1].map((next) => new Date(A_MONDAY + (first + next) * WEEK_MS).toISOString().slice(0, 10));
  const settings = { GIFT_CARDS_DATABASE_URL: await here.database('gift_cards'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(GiftCardsModule, readConfig(settings));
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

it('issues a card of a week to everybody who is employed, once however often it is asked for', async () => {
  await hired('ada', 'ben', 'cora');
  await hr.state('hr.EmployeeTerminated', `${here.name}-ben`, { lastDay: 20_500, reason: 'RESIGNED' });
  const { status, body } = await issue(weeks[0]!);
  expect(status).toBe(202);
  await done(body['job']);
  const mine = [`${here.name}-ada`, `${here.name}-cora`];
  expect(await issued(weeks[0]!)).toEqual(mine);
  expect(await done((await issue(weeks[0]!)).body['job'])).toMatchObject({ result: { issued: 0 } });
  expect(await issued(weeks[0]!)).toEqual(mine);
});

it('gives those a card who came later, and each week anew', async () => {
  await hired('dan');
  await done((await issue(weeks[0]!)).body['job']);
  expect(await issued(weeks[0]!)).toEqual(['ada', 'cora', 'dan'].map((name) => `${here.name}-${name}`));
  expect(await issued(weeks[1]!)).toEqual([]);
  await done((await issue(weeks[1]!)).body['job']);
  expect(await issued(weeks[1]!)).toEqual(await issued(weeks[0]!));
});

it('takes a Monday for a week, and nothing else', async () => {
  expect(await issue('2026-11-24')).toMatchObject({ status: 400, body: { code: 'week.not-monday' } });
  expect((await issue('2026-02-30')).status).toBe(400);
});

it('does not start without its settings, and names all that are missing', () => {
  expect(() => readConfig({})).toThrow(/GIFT_CARDS_DATABASE_URL.*FACTLINE_KAFKA.*FACTLINE_REGISTRY_URL/);
});
