import { Controller, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { FactlineModule, type ServiceConfig, openService } from 'factline/nest';
import { Admission } from 'factline/nest/admission';
import { Store } from 'factline/store';
import { serveChild } from './child.js';

/** A service that writes a row per request, and whose database takes its time for it. */
export interface BusyServiceArgument {
  guarded: boolean;
  databaseUrl: string;
  kafka: readonly string[];
  registryUrl: string;
  workMs: number;
  connections: number;
}

const WORK = 'insert into ordered (note) select pg_sleep($1)::text returning id';
const WORK_MS = Symbol('work');

@Controller('orders')
class OrdersController {
  constructor(
    private readonly store: Store,
    @Inject(WORK_MS) private readonly workMs: number,
  ) {}

  @Post()
  @HttpCode(201)
  async order() {
    const { rows } = await this.store.query<{ id: string }>(WORK, [this.workMs / 1_000], 'order');
    return { id: rows[0]!.id };
  }
}

function moduleFor({ guarded, databaseUrl, kafka, registryUrl, workMs, connections }: BusyServiceArgument): new () => object {
  if (guarded) Admission()(OrdersController);
  class BusyModule {}
  Module({
    imports: [
      FactlineModule.forRoot({
        app: 'busy',
        databaseUrl,
        kafka: { brokers: kafka },
        registryUrl,
        connections,
        migrations: [{ name: 'orders', sql: 'create table ordered (id bigint generated always as identity primary key, note text)' }],
      }),
    ],
    controllers: [OrdersController],
    providers: [{ provide: WORK_MS, useValue: workMs }],
  })(BusyModule);
  return BusyModule;
}

await serveChild<BusyServiceArgument, number>(async (argument, side) => {
  const service = await openService(moduleFor(argument), { host: '127.0.0.1', port: 0, logLevel: 'error', shutdownDeadlineMs: 10_000 } satisfies ServiceConfig);
  side.tell({ url: service.url });
  side.ready();
  await side.finished;
  const { rows } = await service.app.get(Store).query<{ count: number }>('select count(*)::integer as count from ordered');
  await service.close();
  return rows[0]!.count;
});
