import { type Service, openService } from 'factline/nest';
import { Store } from 'factline/store';
import { type World, world } from 'factline/testing';
import { readConfig } from './config.js';
import { TicketingModule } from './ticketing.module.js';

export interface Told {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The app in this process, and an event a spec asks about. */
export class BoxOffice {
  #events = 0;

  private constructor(
    readonly here: World,
    readonly service: Service,
  ) {}

  static async open(settings: Readonly<Record<string, string>>): Promise<BoxOffice> {
    const here = await world();
    const env = { TICKETING_DATABASE_URL: await here.database('ticketing'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
    return new BoxOffice(here, await openService(TicketingModule, readConfig({ ...env, ...settings })));
  }

  get store(): Store {
    return this.service.app.get(Store);
  }

  async send(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Told> {
    const response = await fetch(`${this.service.url}${path}`, { method, headers: { ...(body && { 'content-type': 'application/json' }), ...headers }, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** @returns its id, which no other spec uses. */
  async event(...seatsOfRows: readonly number[]): Promise<string> {
    const id = `${this.here.name}-${++this.#events}`;
    const rows = seatsOfRows.map((seats, nth) => ({ row: String.fromCodePoint(65 + nth), seats }));
    expect((await this.send('POST', '/events', { id, name: 'The Magic Flute', rows, priceCents: 4_500, currency: 'EUR' })).status).toBe(201);
    return id;
  }

  lock(event: string, seat: string, customerId: string, headers: Record<string, string> = {}): Promise<Told> {
    return this.send('POST', `/events/${event}/seats/${seat}/locks`, { customerId }, headers);
  }

  /** Locks a seat that is free. */
  async locked(event: string, seat: string, customerId = 'ada'): Promise<string> {
    const { status, body } = await this.lock(event, seat, customerId);
    expect(status).toBe(201);
    return body['lockId'] as string;
  }

  purchase(event: string, seat: string, lockId: unknown, headers: Record<string, string> = {}): Promise<Told> {
    return this.send('POST', `/events/${event}/seats/${seat}/locks/${String(lockId)}/purchase`, undefined, headers);
  }

  async statusOf(event: string, seat: string): Promise<unknown> {
    const { body } = await this.send('GET', `/events/${event}/seats?limit=200`);
    return (body['items'] as { seat: string; status: string }[]).find((each) => each.seat === seat)?.status;
  }

  /** How many facts there are of a seat. */
  async facts(event: string, seat: string): Promise<number> {
    const { rows } = await this.store.query<{ facts: number }>(`select count(*)::integer as facts from factline.outbox where topic = 'ticketing.seat' and key = $1`, [`${event}/${seat}`]);
    return rows[0]!.facts;
  }

  /** The states of the commands that were to release a seat, in the order in which they were sent. */
  async releases(event: string, seat: string): Promise<string[]> {
    const { rows } = await this.store.query<{ state: string }>(`select state from factline.job where queue = 'ticketing.expiry' and key = $1 order by id`, [`${event}/${seat}`]);
    return rows.map(({ state }) => state);
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.here.close();
  }
}

/** How often each status was answered. */
export function tally(answers: readonly Told[]): Record<number, number> {
  const seen: Record<number, number> = {};
  for (const { status } of answers) seen[status] = (seen[status] ?? 0) + 1;
  return seen;
}
