import { randomInt } from 'node:crypto';
import { Body, Controller, Get, Module, Post, Res } from '@nestjs/common';
import { FactlineModule, type ServiceConfig, field, openService } from 'factline/nest';
import { world } from 'factline/testing';
import { simulationRuns } from 'factline/testing/simulation';
import { loadConfig } from '../apps/cli/src/config.js';
import { estate } from './support/estate.js';
import { fuzz } from './support/fuzz/fuzz.js';
import { ROOT } from './support/root.js';

/** Each of some 3 ms on an idle machine. */
const REQUESTS = 1_000;
const WITHIN_MS = 20_000;
/** Longer than any route may keep a client waiting by itself: reads wait 2 s for the caller's own write, 10 s when asked to. */
const BOUND_MS = 14_000;

/** A slow machine takes half a minute to start an app, and as long to stop it. */
const APP_MS = 240_000;

const runs = simulationRuns(REQUESTS);
const seed = runs.seed ?? randomInt(2 ** 31);
const options = { runs: { ...runs, seed }, withinMs: WITHIN_MS, boundMs: BOUND_MS };
const apps = Object.entries((await loadConfig(ROOT)).apps).flatMap(([app, { main }]) => (main === undefined ? [] : [app]));

describe(`whatever is sent to it (FACTLINE_SEED=${seed})`, () => {
  it.each(apps)('%s answers in time, never with our fault, and refuses with problem documents', async (app) => {
    const here = await estate({ apps: [app] });
    try {
      const { url } = await here.start(app, { LOG_LEVEL: 'error' });
      const { routes, statuses } = await fuzz(url, options);
      expect(routes.length).toBeGreaterThan(0);
      for (const [route, answered] of statuses) expect([route, [...answered.values()].reduce((sum, count) => sum + count, 0) > 10]).toEqual([route, true]);
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    } finally {
      await here.close();
    }
  }, APP_MS);
});

class Trap {
  @field.text({ max: 50 }) text!: string;
  @field.whole({ min: 0, max: 100, optional: true }) count?: number;
}

/** Three services with one fault each. */
const FAULTS = {
  'throws on some input': { path: 'throws', fault: '=> 500' },
  'never answers some input': { path: 'hangs', fault: '=> no answer' },
  'refuses in another form': { path: 'plain', fault: "=> 400 as 'text/plain" },
} as const;

@Controller()
class TrapsController {
  @Post('throws')
  throws(@Body() { text }: Trap) {
    if (text.length > 20) throw new TypeError('nobody thought of it');
    return {};
  }
}

@Controller()
class HangsController {
  @Post('hangs')
  hangs(@Body() { count }: Trap) {
    return count === undefined ? new Promise(() => undefined) : {};
  }
}

@Controller()
class PlainController {
  @Get('plain')
  plain(@Res() response: { status(code: number): { type(mediaType: string): { send(text: string): void } } }) {
    response.status(400).type('text/plain').send('no');
  }
}

describe('control: a service that', () => {
  it.each([
    ['throws on some input', TrapsController],
    ['never answers some input', HangsController],
    ['refuses in another form', PlainController],
  ] as const)('%s is found', async (what, controller) => {
    const here = await world();
    @Module({ imports: [FactlineModule.forRoot({ app: 'trap', databaseUrl: await here.database('trap'), kafka: { brokers: here.kafka }, registryUrl: here.registryUrl })], controllers: [controller] })
    class TrapModule {}
    const service = await openService(TrapModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 2_000 } satisfies ServiceConfig);
    try {
      await expect(fuzz(service.url, { runs: { numRuns: 500, endOnFailure: true }, withinMs: WITHIN_MS, boundMs: 1_000 })).rejects.toThrow(FAULTS[what].fault);
    } finally {
      await service.close();
      await here.close();
    }
  });
});
