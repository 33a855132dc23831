import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3013 }),
  databaseUrl: setting.databaseUrl('RISK_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** Which rule judges; it needs the read model of its version, so rebuild that first: `factline replay run orders_seen`. */
  rule: setting.oneOf('RISK_RULE', ['1', '2'], '1'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type RiskConfig = ReturnType<typeof readConfig>;
