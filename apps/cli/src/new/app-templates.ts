/** What all files of a new app are made of. */
export interface AppParts {
  /** gift-cards */
  readonly app: string;
  readonly owner: string;
  readonly port: number;
  /** GiftCards */
  readonly type: string;
  /** GIFT_CARDS */
  readonly prefix: string;
}

export const contractsYaml = ({ app, owner }: AppParts): string => `app: ${app}
owner: ${owner}
produces: []
consumes: []
`;

export const configFile = ({ port, type, prefix }: AppParts): string => `import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: ${port} }),
  databaseUrl: setting.databaseUrl('${prefix}_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** \`off\` where \`factline relay\` publishes instead. */
  relay: setting.oneOf('${prefix}_RELAY', ['on', 'off'], 'on'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type ${type}Config = ReturnType<typeof readConfig>;
`;

export const moduleFile = ({ app, owner, type }: AppParts): string => `import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import type { ${type}Config } from './config.js';

/** The app ${app}, which ${owner} answers for. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay }: ${type}Config) => ({
        app: '${app}',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [],
        relay: { enabled: relay === 'on' },
      }),
    }),
  ],
  controllers: [],
  providers: [],
})
export class ${type}Module {}
`;

export const mainFile = ({ app, type }: AppParts): string => `import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { ${type}Module } from './${app}.module.js';

await startService(${type}Module, readConfig);
`;

export const specFile = ({ app, type, prefix }: AppParts): string => `import { type Service, openService } from 'factline/nest';
import { type World, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { ${type}Module } from './${app}.module.js';

let here: World;
let service: Service;

beforeAll(async () => {
  here = await world();
  const settings = { ${prefix}_DATABASE_URL: await here.database('${app.replaceAll('-', '_')}'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(${type}Module, readConfig(settings));
});

afterAll(async () => {
  await service.close();
  await here.close();
});

it('is ready when its database, Kafka and the registry answer', async () => {
  await until('${app} to be ready', async () => (await fetch(\`\${service.url}/health/ready\`)).ok);
});

it('does not start without its settings, and names all that are missing', () => {
  expect(() => readConfig({})).toThrow(/${prefix}_DATABASE_URL.*FACTLINE_KAFKA.*FACTLINE_REGISTRY_URL/);
});
`;
