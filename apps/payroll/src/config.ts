import { loadConfig, setting } from 'factline/nest';

const schema = {
  ...setting.service({ port: 3002 }),
  databaseUrl: setting.databaseUrl('PAYROLL_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  /** Which version of the read model this process continues; rebuild it first: `factline replay run payees`. */
  payeesVersion: setting.oneOf('PAYROLL_PAYEES_VERSION', ['1', '2'], '1'),
  /** See `faults` in payees.projection.ts. */
  drill: setting.oneOf('PAYROLL_DRILL', ['none', 'forget-moves'], 'none'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type PayrollConfig = ReturnType<typeof readConfig>;
