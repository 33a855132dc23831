import type { Server } from 'node:http';
import { connect } from 'node:net';
import {
  BadGatewayException,
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  Post,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { FactlineError, silentLogger } from 'factline/kernel';
import { projection } from 'factline/projections';
import { Store } from 'factline/store';
import { type World, selectInSpec, until, world } from 'factline/testing';
import { map } from 'rxjs';
import { Context, FactlineModule, RequestContext, SERVICE_CONFIG, type Service, answer, field, loadConfig, openService, provideProjection, setting } from './index.js';

const readConfig = (env: Record<string, string>) => loadConfig({ ...setting.service({ port: 0 }), databaseUrl: setting.databaseUrl('DB'), brokers: setting.brokers('KAFKA'), registryUrl: setting.httpUrl('REGISTRY') }, env);
type Config = ReturnType<typeof readConfig>;

class Note {
  @field.text({ max: 20 }) text!: string;
}

let release: (() => void) | undefined;

/** Guards, interceptors and controllers get what they inject: this one the database. */
@Injectable()
class KeyGuard implements CanActivate {
  constructor(private readonly store: Store) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { rows } = await this.store.query<{ key: string }>("select 'k' as key");
    if (context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-key'] === rows[0]!.key) return true;
    throw new ForbiddenException('no key');
  }
}

@Injectable()
class Stamp implements NestInterceptor {
  constructor(@Inject(SERVICE_CONFIG) private readonly config: Config) {}

  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((body: object) => ({ ...body, host: this.config.host })));
  }
}

@Controller('notes')
class NotesController {
  @Post()
  create(@Body() note: Note, @Context() request: RequestContext) {
    return answer({ text: note.text, correlationId: request.correlationId, operation: request.operation }, { status: 202, version: 7, token: 't', location: '/notes/1' });
  }

  @Get('guarded')
  @UseGuards(KeyGuard)
  @UseInterceptors(Stamp)
  guarded() {
    return { ok: true };
  }

  @Get('broken')
  broken() {
    throw new Error('secret');
  }

  @Get('gateway')
  gateway() {
    throw new BadGatewayException('secret');
  }

  @Get('away')
  away() {
    throw new FactlineError({ code: 'some.away', kind: 'unavailable', message: 'It is away.', retryAfterMs: 2_500 });
  }

  @Get('twice/:number')
  twice(@Param('number', ParseIntPipe) number: number) {
    return { twice: 2 * number };
  }

  @Get('held')
  async held() {
    await new Promise<void>((resolve) => (release = resolve));
    return { held: true };
  }
}

const options = (config: Config) => ({ app: 'notes', databaseUrl: config.databaseUrl, kafka: { brokers: config.brokers }, registryUrl: config.registryUrl });

@Module({
  imports: [FactlineModule.forRootAsync({ inject: [SERVICE_CONFIG], useFactory: options })],
  controllers: [NotesController],
  providers: [KeyGuard],
})
class NotesModule {}

let here: World;
let config: Config;
let service: Service;

const call = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${service.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
};
const post = (path: string, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) => call(path, { method: 'POST', body, headers });

beforeAll(async () => {
  here = await world();
  config = readConfig({ DB: await here.database('notes'), KAFKA: '127.0.0.1:1', REGISTRY: 'http://127.0.0.1:1', LOG_LEVEL: 'silent', SHUTDOWN_DEADLINE: '4s' });
  service = await openService(NotesModule, config);
});

afterAll(async () => {
  await service.close();
  await here.close();
});

describe('a service, with neither broker nor registry', () => {
  it('starts, is live and ready, and says what it waits for', async () => {
    expect((await call('/health/live')).status).toBe(200);
    expect((await call('/health/ready')).status).toBe(200);
    expect((await call('/health')).body).toMatchObject({ app: 'notes', topics: { state: 'waiting' }, relay: { state: 'disabled' } });
  });

  it('answers with status, headers and explicit context', async () => {
    const { status, headers, body } = await post('/notes', '{"text":"hello"}', { 'content-type': 'application/json; charset=utf-8', 'x-correlation-id': 'c-9' });
    expect([status, headers.get('etag'), headers.get('factline-token'), headers.get('location'), headers.get('x-correlation-id')]).toEqual([202, '"7"', 't', '/notes/1', 'c-9']);
    expect(body).toEqual({ text: 'hello', correlationId: 'c-9', operation: 'POST /notes' });
  });

  it('runs guards and interceptors with what they inject', async () => {
    expect(await call('/notes/guarded')).toMatchObject({ status: 403, body: { code: 'http.403', detail: 'no key' } });
    expect(await call('/notes/guarded', { headers: { 'x-key': 'k' } })).toMatchObject({ status: 200, body: { ok: true, host: '127.0.0.1' } });
  });

  it('runs the pipes of a method', async () => {
    expect(await call('/notes/twice/x')).toMatchObject({ status: 400 });
    expect(await call('/notes/twice/1')).toMatchObject({ status: 200, body: { twice: 2 } });
  });

  it.each([
    ['/notes/broken', 500],
    ['/notes/gateway', 502],
    ['/nowhere', 404],
    ['/notes/twice/%ff', 400],
  ])('answers %s as a problem, %d, without a word of the cause', async (path, status) => {
    const { headers, body, status: answered } = await call(path, { headers: { 'x-correlation-id': 'c-1' } });
    expect(answered).toBe(status);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({ status: answered, correlationId: 'c-1' });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('says when to come back', async () => {
    const { status, headers } = await call('/notes/away');
    expect([status, headers.get('retry-after')]).toEqual([503, '3']);
  });

  it.each([
    ['malformed JSON', '{"text"', 'application/json', 400],
    ['a list', '[]', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['a form', 'text=x', 'application/x-www-form-urlencoded', 415],
    ['another character set', '{"text":"x"}', 'application/json; charset=latin2', 415],
    ['too much', JSON.stringify({ text: 'x'.repeat(300 * 1024) }), 'application/json', 413],
    ['too deep', `{"text":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'application/json', 400],
    ['NUL', '{"text":"a\\u0000"}', 'application/json', 400],
    ['half a surrogate pair', '{"text":"\\ud800"}', 'application/json', 400],
    ['an unknown field', '{"text":"x","role":"admin"}', 'application/json', 400],
    ['a poisoned prototype', '{"text":"x","__proto__":{"role":1}}', 'application/json', 400],
  ])('refuses %s', async (_what, body, mediaType, status) => {
    expect(await post('/notes', body, { 'content-type': mediaType })).toMatchObject({ status, body: { status } });
  });

  it('shows its interface and its measurements', async () => {
    expect((await call('/openapi.json')).body).toMatchObject({ components: { schemas: { Note: { properties: { text: { maxLength: 20 } }, required: ['text'] } } } });
    expect((await fetch(`${service.url}/docs`)).status).toBe(200);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    for (const name of ['http_request_duration_seconds_bucket{le="0.002",method="POST",route="/notes",status="202"}', 'factline_outbox_pending_facts 0', 'process_cpu_seconds_total']) expect(metrics).toContain(name);
    expect(metrics).not.toContain('/nowhere');
  });
});

describe('stopping', () => {
  it('lets a request under way end, takes no new one, and cuts who only drips', async () => {
    const other = await openService(NotesModule, config, silentLogger);
    const port = Number(new URL(other.url).port);
    const held = fetch(`${other.url}/notes/held`);
    const drip = connect(port, '127.0.0.1');
    drip.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      drip.write('POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{', () => resolve());
    });
    const server = other.app.getHttpServer() as Server;
    await until('both requests to be with the server', () => new Promise<boolean>((resolve) => server.getConnections((_error, count) => resolve(count === 2 && release !== undefined))));
    const begun = performance.now();
    const closed = other.close();
    await until('no new connection to be taken', () => fetch(other.url).then(() => false, () => true));
    release!();
    expect((await held).status).toBe(200);
    await closed;
    expect(performance.now() - begun).toBeLessThan(4_000);
    drip.destroy();
  });

  it('says so when a transaction outlives the deadline', async () => {
    const other = await openService(NotesModule, { ...config, shutdownDeadlineMs: 400 }, silentLogger);
    const store = other.app.get(Store);
    let letGo = () => {};
    const stuck = store.transaction(async (tx) => {
      await tx.query('select 1');
      await new Promise<void>((resolve) => (letGo = resolve));
    });
    await until('the transaction to be open', async () => (await store.query("select from pg_stat_activity where state = 'idle in transaction' and datname = current_database()")).rowCount > 0);
    await expect(other.close()).rejects.toMatchObject({ code: 'lifecycle.deadline' });
    letGo();
    await stuck;
  });
});

describe('what is wrong with an app stops its start', () => {
  const schema = { type: 'record', name: 'NoteMade', namespace: 'notes', fields: [{ name: 'id', type: 'string' }] };
  const selected = (app: string) => selectInSpec<{ id: string }>({ factName: 'notes.NoteMade', topic: 'notes.note', schema, fingerprint: 'f' }, app);
  const notesOf = (fact: ReturnType<typeof selected>) => projection({ name: 'notes', version: 1, key: 'id', columns: { id: 'text' } }).on(fact, (_none, { data }) => ({ id: data.id }));
  const notes = notesOf(selected('notes'));

  it('a projection provided twice', async () => {
    @Module({ imports: [NotesModule], providers: [provideProjection(notes)] })
    class OnceModule {}
    @Module({ imports: [OnceModule], providers: [provideProjection(notes)] })
    class TwiceModule {}
    await expect(openService(TwiceModule, config, silentLogger)).rejects.toMatchObject({ code: 'nest.projection-twice' });
    const once = await openService(OnceModule, config, silentLogger); // the negative control: once is fine, and its tables answer at once
    const store = here.store(config.databaseUrl);
    expect((await store.query('select count(*)::integer as rows from notes.notes')).rows).toEqual([{ rows: 0 }]);
    await once.close();
  });

  it.each([
    ['was written by hand', { ...selected('notes'), contract: undefined as never }],
    ['was generated for another app', selected('diary')],
    ['was widened after it was generated', { ...selected('notes'), schema: { ...schema, fields: [...schema.fields, { name: 'author', type: 'string' }] } }],
  ])('a fact that its contract does not declare: its selection %s', async (_what, fact) => {
    @Module({ imports: [NotesModule], providers: [provideProjection(notesOf(fact))] })
    class UndeclaredModule {}
    await expect(openService(UndeclaredModule, config, silentLogger)).rejects.toMatchObject({
      code: 'contract.undeclared',
      kind: 'configuration',
      message: expect.stringMatching(/'notes'.*notes\.NoteMade/) as string,
      advice: expect.stringMatching(/apps\/notes\/contracts\.yaml.*npx factline contracts gen/) as string,
    });
  });

  it('a database that is not there', async () => {
    const wrong = { ...config, databaseUrl: `${config.databaseUrl}_gone` };
    await expect(openService(NotesModule, wrong, silentLogger)).rejects.toMatchObject({ code: 'store.database-unknown', kind: 'configuration' });
  });
});
