import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const SCHEMA = {
  type: 'record',
  name: 'OrderPlaced',
  namespace: 'shop',
  doc: 'Somebody ordered.',
  fields: [
    { name: 'meta', doc: 'Identity, order and origin of the fact.', type: 'factline.Meta' },
    { name: 'orderId', doc: 'The order, and the key of the topic.', type: 'string' },
    { name: 'totalCents', doc: 'What it costs, in hundredths.', type: 'long' },
    { name: 'note', doc: 'What the customer wrote.', type: ['null', 'string'], default: null },
  ],
};

const topicYaml = (topic: string) => `name: ${topic}
owner: shop
keyField: orderId
partitions: 2
kind: facts
settings:
  retention.ms: '-1'
`;

const CONTRACTS = `app: shop
owner: sales
produces:
  - shop.OrderPlaced
consumes:
  - fact: shop.OrderPlaced
    select: [orderId, totalCents]
    purpose: The list of orders.
`;

const PROJECTION = `import { projection } from 'factline/projections';
import { OrderPlacedSelected } from './contracts.generated.js';

export const orders = projection({ name: 'orders', version: 1, key: 'order_id', columns: { order_id: 'text', total_cents: 'bigint' } }).on(
  OrderPlacedSelected,
  (_none, { data }) => ({ order_id: data.orderId, total_cents: data.totalCents }),
);
`;

const MAIN = `import 'reflect-metadata';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { type Answer, FactlineModule, ReadsFrom, SERVICE_CONFIG, answer, field, loadConfig, provideProjection, setting, startService } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { OrderPlaced } from './contracts.generated.js';
import { orders } from './orders.projection.js';

const readConfig = () =>
  loadConfig(
    {
      ...setting.service({ port: 3000 }),
      databaseUrl: setting.databaseUrl('SHOP_DATABASE_URL'),
      brokers: setting.brokers('FACTLINE_KAFKA'),
      registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
      relay: setting.oneOf('SHOP_RELAY', ['on', 'off'], 'on'),
    },
    process.env,
  );
type Config = ReturnType<typeof readConfig>;

class NewOrder {
  @field.whole({ min: 1, max: 1_000_000 }) totalCents!: number;
}

@ReadsFrom('orders')
@Controller('orders')
class OrdersController {
  constructor(
    private readonly store: Store,
    private readonly outbox: FactOutbox,
  ) {}

  @Post(':id')
  async place(@Param('id') id: string, @Body() { totalCents }: NewOrder): Promise<Answer> {
    const { token } = await this.store.transaction((tx) => this.outbox.add(tx, OrderPlaced(id, { totalCents })));
    return answer({ id }, { status: 201, token });
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<unknown> {
    const { rows } = await this.store.query('select order_id, total_cents::float8 as total_cents from orders.orders where order_id = $1', [id]);
    return rows[0] ?? {};
  }
}

@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay }: Config) => ({
        app: 'shop', databaseUrl, kafka: { brokers }, registryUrl, produces: [OrderPlaced], relay: { enabled: relay === 'on' },
      }),
    }),
  ],
  controllers: [OrdersController],
  providers: [provideProjection(orders)],
})
class ShopModule {}

await startService(ShopModule, readConfig);
`;

/** skipLibCheck stays off: the package's own declarations are compiled with the app. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    rootDir: '.',
    outDir: 'dist',
    types: ['node'],
  },
  include: ['apps'],
};

const COMPILED = 'dist/apps/shop/src';
const CONFIG = {
  apps: {
    shop: {
      contracts: 'apps/shop/contracts.yaml',
      databaseUrl: 'SHOP_DATABASE_URL',
      facts: `${COMPILED}/contracts.generated.js`,
      projections: [`${COMPILED}/orders.projection.js`],
      main: `${COMPILED}/main.js`,
    },
  },
};

export interface EmptyAppParts {
  topic: string;
  dependencies: Readonly<Record<string, string>>;
  /** Public entrances of the package: each is compiled and imported. */
  entrances: readonly string[];
}

/**
 * What docs/start shows: the files that somebody who installs the package writes.
 * @public tools/reference.mjs reads them from the compiled file
 */
export function startFiles(topic: string = 'shop.order'): Record<string, string> {
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'factline.config.json': json(CONFIG),
    'schemas/shop/order/OrderPlaced.avsc': json(SCHEMA),
    'schemas/shop/order/topic.yaml': topicYaml(topic),
    'apps/shop/contracts.yaml': CONTRACTS,
    'apps/shop/src/orders.projection.ts': PROJECTION,
    'apps/shop/src/main.ts': MAIN,
  };
}

/** Writes them, and what a compiler needs: one fact, one projection of it, two routes. @returns the compiled main file. */
export async function writeEmptyApp(folder: string, { topic, dependencies, entrances }: EmptyAppParts): Promise<string> {
  const faces = entrances.map((entrance) => `export * as ${entrance.replaceAll(/\W/g, '_')} from '${entrance}';\n`).join('');
  const files: Record<string, string> = {
    ...startFiles(topic),
    'package.json': JSON.stringify({ name: 'shop', private: true, type: 'module', dependencies }),
    'tsconfig.json': JSON.stringify(TSCONFIG),
    'apps/shop/src/faces.ts': faces,
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(resolve(folder, file)), { recursive: true });
    await writeFile(resolve(folder, file), text);
  }
  return resolve(folder, COMPILED, 'main.js');
}
