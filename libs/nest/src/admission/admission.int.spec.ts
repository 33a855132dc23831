import { Controller, Get, HttpCode, Module, Post, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type Load, type Priority } from 'factline/admission';
import { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, type ServiceConfig, openService } from '../index.js';
import { Admission, AdmissionGuard, type AdmissionOptions } from './index.js';

@Controller('reports')
@Admission({ rate: { count: 10, per: '1h' } })
class ReportsController {
  @Get()
  list() {
    return [];
  }

  @Post()
  @HttpCode(202)
  @Admission({ cost: 4 })
  order() {
    return {};
  }

  @Get('free')
  @Admission({ rate: false })
  free() {
    return {};
  }

  @Get('burst')
  @Admission({ rate: { count: 1, per: '1h', burst: 3 } })
  burst() {
    return {};
  }
}

@Controller('tasks')
class TasksController {
  @Get('critical')
  @Admission({ priority: 'critical' })
  critical() {
    return {};
  }

  @Get('normal')
  @Admission()
  normal() {
    return {};
  }

  @Get('sheddable')
  @Admission({ priority: 'sheddable' })
  sheddable() {
    return {};
  }

  @Get('undeclared')
  undeclared() {
    return {};
  }
}

let at: World;
let databaseUrl: string;
const opened: Service[] = [];
beforeAll(async () => {
  at = await world();
  databaseUrl = await at.database('admission');
});
afterEach(async () => {
  for (const service of opened.splice(0)) await service.close();
});
afterAll(() => at.close());

/** A process of a small service; `everywhere` puts the guard before all its routes. */
async function serve(admission: AdmissionOptions = {}, { everywhere = false, url = databaseUrl } = {}): Promise<Service> {
  class SmallModule {}
  Module({
    imports: [FactlineModule.forRoot({ app: 'small', databaseUrl: url, kafka: { brokers: at.kafka }, registryUrl: at.registryUrl, admission })],
    controllers: [ReportsController, TasksController] as Type[],
    providers: everywhere ? [{ provide: APP_GUARD, useClass: AdmissionGuard }] : [],
  })(SmallModule);
  const service = await openService(SmallModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 } satisfies ServiceConfig);
  opened.push(service);
  return service;
}

const byHeader: AdmissionOptions = { client: (request) => request.headers['x-client'] as string | undefined };
const ask = (service: Service, path: string, headers: Record<string, string> = {}, method = 'GET') => fetch(`${service.url}${path}`, { method, headers });
const statuses = async (count: number, one: (index: number) => Promise<Response>) => {
  const seen: Record<number, number> = {};
  for (let index = 0; index < count; index++) {
    const { status } = await one(index);
    seen[status] = (seen[status] ?? 0) + 1;
  }
  return seen;
};
const metric = async (service: Service, line: string) => {
  const text = await (await ask(service, '/metrics')).text();
  return Number(text.split('\n').find((each) => each.startsWith(line))?.split(' ').at(-1) ?? 0);
};

describe('a rate', () => {
  it('is kept by two processes over one database together', async () => {
    const [one, two] = [await serve(byHeader), await serve(byHeader)];
    expect(await statuses(30, (index) => ask([one, two][index % 2]!, '/reports', { 'x-client': 'shared' }))).toEqual({ 200: 10, 429: 20 });
    expect(await statuses(3, () => ask(two, '/reports', { 'x-client': 'another' }))).toEqual({ 200: 3 });
  });

  it('is kept by each for itself when they share no database (control: it is the database that they agree through)', async () => {
    const [one, two] = [await serve(byHeader, { url: await at.database('first') }), await serve(byHeader, { url: await at.database('second') })];
    expect(await statuses(30, (index) => ask([one, two][index % 2]!, '/reports', { 'x-client': 'shared' }))).toEqual({ 200: 20, 429: 10 });
  });

  it('is told with every answer, and a refusal is a problem that says when to come back', async () => {
    const service = await serve(byHeader);
    const client = { 'x-client': 'told' };
    const first = await ask(service, '/reports', client);
    expect([first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')]).toEqual(['"ReportsController";q=10;w=3600', '"ReportsController";r=9;t=360']);
    expect((await ask(service, '/reports', client, 'POST')).status).toBe(202);
    expect((await ask(service, '/reports', client, 'POST')).headers.get('ratelimit')).toMatch(/^"ReportsController";r=1;t=\d+$/);
    const refused = await ask(service, '/reports', client, 'POST');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json; charset=utf-8']);
    expect(await refused.json()).toMatchObject({ status: 429, code: 'admission.limited', title: 'Too Many Requests', correlationId: expect.any(String) });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(360);
    expect(seconds).toBeLessThanOrEqual(3 * 360);
    expect(refused.headers.get('ratelimit')).toBe(`"ReportsController";r=1;t=${seconds}`);
    expect(await metric(service, 'factline_admission_requests_total{outcome="limited",priority="normal",reason="ReportsController"}')).toBe(1);
    expect(await metric(service, 'factline_admission_requests_total{outcome="admitted",priority="normal",reason="none"}')).toBe(3);
  });

  it('of a route goes before that of its controller', async () => {
    const service = await serve(byHeader);
    const client = { 'x-client': 'routes' };
    expect(await statuses(15, () => ask(service, '/reports/free', client))).toEqual({ 200: 15 });
    const { headers } = await ask(service, '/reports/burst', client);
    expect([headers.get('ratelimit-policy'), headers.get('ratelimit')]).toEqual(['"ReportsController.burst";q=1;w=3600;factline-burst=3', '"ReportsController.burst";r=2;t=3600']);
    expect((await ask(service, '/reports', client)).headers.get('ratelimit')).toMatch(/r=9;/);
  });

  it('belongs to the address when nobody says who asks, and X-Forwarded-For counts only behind a proxy that is trusted', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const trusting = await serve({ trustProxy: 1 });
    expect(await statuses(24, (index) => ask(trusting, '/reports', from(`203.0.113.${index % 2}`)))).toEqual({ 200: 20, 429: 4 });
    const careful = await serve();
    expect(await statuses(24, (index) => ask(careful, '/reports', from(`198.51.100.${index}`)))).toEqual({ 200: 10, 429: 14 });
  });

  it('is in the OpenAPI document, and so is the shedding', async () => {
    const service = await serve();
    const { paths } = (await (await ask(service, '/openapi.json')).json()) as { paths: Record<string, Record<string, { responses: Record<string, { headers?: object; content?: object }> }>> };
    const { responses } = paths['/reports']!['get']!;
    expect(Object.keys(responses['429']!.headers!)).toEqual(['Retry-After', 'RateLimit', 'RateLimit-Policy']);
    expect(Object.keys(responses['503']!.content!)).toEqual(['application/problem+json']);
    expect(paths['/tasks/undeclared']!['get']!.responses['429']).toBeUndefined();
  });
});

describe('shedding', () => {
  const priorities: Priority[] = ['critical', 'normal', 'sheddable'];
  let load: Load;
  beforeEach(() => {
    load = {};
  });
  /** All of the load's windows see these requests, so that the shedder knows what arrives. */
  const round = async (service: Service) => Promise.all(priorities.map(async (priority) => (await ask(service, `/tasks/${priority}`)).status));
  const serveUnder = (everywhere = false) => serve({ measure: () => load, minConcurrency: 0 }, { everywhere });

  it('turns the least important away first, critical requests never, and lets all in again', async () => {
    const service = await serveUnder();
    expect(await round(service)).toEqual([200, 200, 200]);
    load = { connectionWaitMs: 1_000 };
    await until('only critical requests are admitted', async () => {
      const seen = await round(service);
      expect(seen[0]).toBe(200);
      return seen.join() === '200,503,503';
    });
    const answered = await ask(service, '/tasks/sheddable');
    expect([answered.status, answered.headers.get('content-type')]).toEqual([503, 'application/problem+json; charset=utf-8']);
    expect(Number(answered.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answered.json()).toMatchObject({ code: 'admission.shed', status: 503 });
    expect(await metric(service, 'factline_admission_requests_total{outcome="shed",priority="sheddable",reason="database"}')).toBeGreaterThan(0);
    expect(await metric(service, 'factline_admission_requests_total{outcome="shed",priority="critical"')).toBe(0);
    load = {};
    await until('all are admitted again', async () => (await round(service)).join() === '200,200,200' && (await metric(service, 'factline_admission_level')) === 3);
  });

  it('makes room for a read model that is behind with sheddable requests only', async () => {
    const service = await serveUnder();
    load = { lagFacts: 10_000_000 };
    await until('sheddable requests are shed', async () => {
      const seen = await round(service);
      expect(seen.slice(0, 2)).toEqual([200, 200]);
      return seen[2] === 503;
    });
  });

  it('never meets health and metrics, also with the guard before all routes; what declares nothing is normal', async () => {
    const service = await serveUnder(true);
    load = { eventLoopDelayMs: 10_000 };
    await until('a request without a declaration is shed', async () => (await ask(service, '/tasks/undeclared')).status === 503);
    for (let index = 0; index < 20; index++) {
      const answers = await Promise.all(['/health/live', '/health/ready', '/health', '/metrics'].map((path) => ask(service, path)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    }
    const unguarded = await serveUnder();
    for (let index = 0; index < 20; index++) expect((await ask(unguarded, '/tasks/undeclared')).status).toBe(200);
  });

  it('follows how long statements really wait for a connection', async () => {
    const service = await serve({ limits: { connectionWaitMs: 5 }, minConcurrency: 0 });
    const store = service.app.get(Store);
    let over = false;
    const crowd = Array.from({ length: 100 }, async () => {
      while (!over) await store.query('select pg_sleep(0.005)');
    });
    await until('sheddable requests are shed for the database', async () => (await round(service))[2] === 503);
    expect(await metric(service, 'factline_admission_requests_total{outcome="shed",priority="sheddable",reason="database"}')).toBeGreaterThan(0);
    over = true;
    await Promise.all(crowd);
    await until('they are admitted again', async () => (await round(service)).join() === '200,200,200');
  });
});
