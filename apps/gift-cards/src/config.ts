import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3014 }),
  databaseUrl: setting.databaseUrl('GIFT_CARDS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** `off` where `factline relay` publishes instead. */
  relay: setting.oneOf('GIFT_CARDS_RELAY', ['on', 'off'], 'on'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type GiftCardsConfig = ReturnType<typeof readConfig>;
