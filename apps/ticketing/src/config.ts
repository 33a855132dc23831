import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3016 }),
  databaseUrl: setting.databaseUrl('TICKETING_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** How long a customer may think. */
  lockMs: setting.duration('TICKETING_LOCK_TIME', '10m'),
  /** Locks that all processes together make; what is asked beyond waits for its turn. The default is what one process and its database do with room to spare. */
  locksPerSecond: setting.whole('TICKETING_LOCKS_PER_SECOND', { min: 1, max: 1_000_000, fallback: 500 }),
  /** Requests that may wait; further ones are told to come back. */
  mayWait: setting.whole('TICKETING_MAY_WAIT', { min: 1, max: 1_000_000, fallback: 5_000 }),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type TicketingConfig = ReturnType<typeof readConfig>;
