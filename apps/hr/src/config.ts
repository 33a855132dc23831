import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3001 }),
  databaseUrl: setting.databaseUrl('HR_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** `off` where `factline relay --app hr` publishes instead. */
  relay: setting.oneOf('HR_RELAY', ['on', 'off'], 'on'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type HrConfig = ReturnType<typeof readConfig>;
