import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3001 }),
  databaseUrl: setting.databaseUrl('HR_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** `off` where `factline relay --app hr` publishes instead. */
  relay: setting.oneOf('HR_RELAY', ['on', 'off'], 'on'),
  /** Of each client. The default keeps out a loop that went wild: it is more than one process of hr commits. */
  changesPerMinute: setting.whole('HR_CHANGES_PER_MINUTE', { min: 1, max: 10_000_000, fallback: 600_000 }),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type HrConfig = ReturnType<typeof readConfig>;
