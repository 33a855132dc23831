import { type ArgumentsHost, type CallHandler, type CanActivate, Catch, Controller, type ExecutionContext, HttpException, Inject, Injectable, Module, type NestInterceptor, type PipeTransform, type RpcExceptionFilter, ServiceUnavailableException, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { type ReceivedFact, RegisteredSchemas, SchemaRegistry } from 'factline/contracts';
import { FactlineError, silentLogger } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import { ReactionDeadLetters, type ReactionRun, reactions } from 'factline/reactions';
import { Store, type Tx, schemaMemory } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { EMPTY, tap } from 'rxjs';
import { FactlineModule, type Service, openService } from '../index.js';
import { OnFact, OnFacts, ReactionController, provideReactions } from './index.js';
import { type Note, NoteRead, NoteTaken, read, taken, topicName } from './notes.spec.support.js';

/** What each part of Nest saw, in order. */
let seen: string[] = [];

@Injectable()
class DatabaseGuard implements CanActivate {
  constructor(private readonly store: Store) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.store.query('select 1');
    const { data } = context.switchToRpc().getData<ReceivedFact<Note>>();
    seen.push(`guard ${data.text}`);
    return data.text !== 'forbidden';
  }
}

@Injectable()
class Trim implements PipeTransform {
  transform(value: unknown, { type }: { type: string }): unknown {
    if (type === 'body') seen.push('pipe');
    return value;
  }
}

@Injectable()
class Around implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    seen.push(`before ${typeof context.switchToRpc().getContext<Tx>().query}`);
    return next.handle().pipe(tap(() => seen.push('after')));
  }
}

class Harmless extends Error {}

@Catch(Harmless)
class TakesHarmless implements RpcExceptionFilter {
  catch(_exception: Harmless, _host: ArgumentsHost) {
    seen.push('filter');
    return EMPTY;
  }
}

@ReactionController({ name: 'readers', from: 'beginning', retry: { delay: 5 } })
@UseInterceptors(Around)
class Readers {
  constructor(
    @Inject(FactOutbox) private readonly outbox: FactOutbox,
  ) {}

  @OnFact(taken)
  @UseGuards(DatabaseGuard)
  @UsePipes(Trim)
  @UseFilters(TakesHarmless)
  async read(fact: ReceivedFact<Note>, tx: Tx, run: ReactionRun) {
    seen.push(`handle ${fact.data.text} ${run.attempt} ${run.signal.aborted}`);
    if (fact.data.text === 'harmless') throw new Harmless('never mind');
    if (fact.data.text === 'away' && run.attempt < 5) throw run.attempt < 3 ? new ServiceUnavailableException() : new HttpException('slowly', 429);
    if (fact.data.text === 'original') throw new FactlineError({ code: 'spec.original', kind: 'invalid', message: 'as it was thrown' });
    await tx.query('insert into effect (note, text) values ($1, $2)', [fact.key, fact.data.text]);
    await this.outbox.add(tx, NoteRead(fact.key, { text: fact.data.text }));
  }

  @OnFacts(read)
  async all(facts: readonly ReceivedFact<Note>[], tx: Tx) {
    for (const { key, meta } of facts) await tx.query("insert into effect (note, text) values ($1, $2)", [key, `read because of ${meta.causationId}, ${meta.correlationId}`]);
  }
}

const plain = reactions({ name: 'plain_functions', from: 'beginning' }).on(taken, async ({ key }, tx) => {
  await tx.query("insert into effect (note, text) values ($1, 'plain')", [key]);
});

let here: World;
let url: string;
let service: Service;
const moduleOf = (controllers: never[], providers: never[] = []) => {
  @Module({
    imports: [FactlineModule.forRoot({ app: 'notes', databaseUrl: url, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [NoteTaken, NoteRead], migrations: [{ name: 'effects', sql: 'create table effect (number bigint generated always as identity, note text, text text)' }] })],
    controllers,
    providers: [DatabaseGuard, ...providers],
  })
  class NotesModule {}
  return NotesModule;
};
const open = (controllers: unknown[], providers: unknown[] = []) => openService(moduleOf(controllers as never[], providers as never[]), { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 } as never, silentLogger);

beforeAll(async () => {
  here = await world();
  url = await here.database('notes');
  service = await open([Readers], [provideReactions(plain)]);
});
afterAll(async () => {
  await service.close();
  const log = here.log();
  await log.deleteTopics([topicName]);
  await here.close();
});
beforeEach(() => {
  seen = [];
});

const state = async (key: string, text: string) => {
  const { id } = await service.app.get(Store).transaction((tx) => service.app.get(FactOutbox).add(tx, NoteTaken(key, { text }, { correlationId: `request of ${key}` })));
  return id;
};
const effects = async (key: string) => (await service.app.get(Store).query<{ text: string }>('select text from effect where note = $1 order by number', [key])).rows.map(({ text }) => text);
const letters = async (key: string) => (await service.app.get(Store).query<{ code: string | null; reason: string }>('select code, reason from readers.dead_letter where key = $1', [key])).rows;

describe('@OnFact', () => {
  it('runs guards, interceptors, pipes and the handler with what they inject; what it states carries the cause, and is reacted to in turn', async () => {
    const id = await state('n-1', 'hello');
    await until('all effects', async () => (await effects('n-1')).length === 3);
    expect((await effects('n-1')).toSorted()).toEqual(['hello', 'plain', `read because of ${id}, request of n-1`]);
    expect(seen.slice(0, 5)).toEqual(['guard hello', 'before function', 'pipe', 'handle hello 1 false', 'after']);
  });

  it('a filter that takes an exception has handled the fact', async () => {
    await state('n-2', 'harmless');
    await state('n-2', 'next');
    await until('the next', async () => (await effects('n-2')).includes('next'));
    expect(seen).toContain('filter');
    expect(await letters('n-2')).toEqual([]);
  });

  it('C22: an exception that no filter takes arrives as it was thrown', async () => {
    await state('n-3', 'original');
    expect(await until('the dead letter', async () => (await letters('n-3'))[0])).toEqual({ code: 'spec.original', reason: 'as it was thrown' });
  });

  it('a guard that says no makes a dead letter at once, and the handler is not called', async () => {
    await state('n-4', 'forbidden');
    expect(await until('the dead letter', async () => (await letters('n-4'))[0])).toMatchObject({ code: 'reaction.refused' });
    expect(seen.filter((each) => each.startsWith('guard forbidden'))).toHaveLength(1);
    expect(seen.some((each) => each.startsWith('handle forbidden'))).toBe(false);
  });

  it('what says by its status that something is away is tried for as long as it takes', async () => {
    await state('n-5', 'away');
    await until('its effect or its dead letter', async () => (await effects('n-5')).includes('away') || (await letters('n-5')).length > 0);
    expect(await letters('n-5')).toEqual([]);
  });

  it('dead letters are re-driven in the app, asked for from outside', async () => {
    const store = service.app.get(Store);
    const asked = await new ReactionDeadLetters('readers', store, here.log(), new RegisteredSchemas({ registry: new SchemaRegistry({ url: here.registryUrl }), memory: schemaMemory(store) })).requeue({ key: 'n-4' }, { by: 'spec' });
    await until('its end', async () => (await store.query<{ state: string }>('select state from factline.redrive where id = $1', [asked.id])).rows[0]!.state !== 'running');
    expect(seen.filter((each) => each.startsWith('guard forbidden'))).toHaveLength(1);
    expect(await letters('n-4')).toHaveLength(1);
  });

  it('is in /health and /metrics as a subscription', async () => {
    const health = (await (await fetch(`${service.url}/health`)).json()) as { reactions: { name: string; state: string; blockedKeys: number }[] };
    expect(health.reactions.map(({ name }) => name).toSorted()).toEqual(['plain_functions', 'readers']);
    await until('the blocked keys to be seen', async () => ((await (await fetch(`${service.url}/health`)).json()) as typeof health).reactions.some(({ state, blockedKeys }) => state === 'BLOCKED-KEYS' && blockedKeys === 2));
    expect(await (await fetch(`${service.url}/metrics`)).text()).toMatch(/factline_subscription_blocked_keys\{subscription="readers"\} 2/);
  });
});

describe('an app whose handlers would never be called', () => {
  it('does not start: a reaction controller without handlers', async () => {
    @ReactionController({ name: 'nobody', from: 'now' })
    class Nobody {}
    await expect(open([Nobody])).rejects.toMatchObject({ code: 'nest.facts-unconnected' });
  });

  it('does not start: handlers in a class that does not say which subscription', async () => {
    @Controller()
    class Bare {
      @OnFact(taken)
      on(): void {}
    }
    await expect(open([Bare])).rejects.toMatchObject({ code: 'nest.reaction-controller' });
  });

  it('does not start: two subscriptions of one name', async () => {
    @ReactionController({ name: 'plain_functions', from: 'now' })
    class Same {
      @OnFact(taken)
      on(): void {}
    }
    await expect(open([Same], [provideReactions(plain)])).rejects.toMatchObject({ code: 'nest.reactions-twice' });
  });
});
