import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3008 }),
  databaseUrl: setting.databaseUrl('RECOMMENDATIONS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** What is answered when nothing is known that is newer than the bound. */
  whenStale: setting.oneOf('RECOMMENDATIONS_WHEN_STALE', ['serve-with-age', 'bypass', 'fail'], 'serve-with-age'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type RecommendationsConfig = ReturnType<typeof readConfig>;
