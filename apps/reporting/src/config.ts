import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3012 }),
  databaseUrl: setting.databaseUrl('REPORTING_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** Which definition of a sale this process continues; rebuild it first: `factline replay run sales`. */
  salesVersion: setting.oneOf('REPORTING_SALES_VERSION', ['1', '2'], '1'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type ReportingConfig = ReturnType<typeof readConfig>;
