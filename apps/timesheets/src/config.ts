import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3011 }),
  databaseUrl: setting.databaseUrl('TIMESHEETS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type TimesheetsConfig = ReturnType<typeof readConfig>;
