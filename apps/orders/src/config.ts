import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3003 }),
  databaseUrl: setting.databaseUrl('ORDERS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** `off` where `factline relay --app orders` publishes instead. */
  relay: setting.oneOf('ORDERS_RELAY', ['on', 'off'], 'on'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type OrdersConfig = ReturnType<typeof readConfig>;
