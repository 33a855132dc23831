import { loadConfig, setting } from 'factline/nest';
import { PAGES } from './limits.js';

const schema = {
  ...setting.service({ port: 3015 }),
  databaseUrl: setting.databaseUrl('DOCUMENTS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** `off` where `factline relay` publishes instead. */
  relay: setting.oneOf('DOCUMENTS_RELAY', ['on', 'off'], 'on'),
  /** A document with more pages is held back, with its key, until this is raised or it is replaced. */
  pages: setting.whole('DOCUMENTS_PAGES', { min: 1, max: 100_000, fallback: PAGES }),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type DocumentsConfig = ReturnType<typeof readConfig>;
