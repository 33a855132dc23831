import { FactlineError } from 'factline/kernel';
import { loadConfig, setting } from './config.js';

const schema = {
  ...setting.service({ port: 3001 }),
  databaseUrl: setting.databaseUrl('X_DATABASE_URL'),
  brokers: setting.brokers('X_KAFKA'),
  registryUrl: setting.httpUrl('X_REGISTRY'),
  mode: setting.oneOf('X_MODE', ['a', 'b'], 'a'),
};
const good = { X_DATABASE_URL: 'postgres://u:secret@h/db', X_KAFKA: 'k1:9092, k2:9092', X_REGISTRY: 'http://r/v7' };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env);
  } catch (error) {
    expect((error as FactlineError).kind).toBe('configuration');
    expect((error as FactlineError).message).not.toContain('secret');
    return (error as FactlineError).details['faults'] as string[];
  }
  return [];
}

it('reads text into values and fills in what may be left out', () => {
  expect(loadConfig(schema, { ...good, PORT: '0', SHUTDOWN_DEADLINE: '500ms', X_MODE: 'b' })).toEqual({
    host: '127.0.0.1',
    port: 0,
    logLevel: 'info',
    shutdownDeadlineMs: 500,
    adminToken: '',
    adminHost: '127.0.0.1',
    adminPort: 3101,
    databaseUrl: good.X_DATABASE_URL,
    brokers: ['k1:9092', 'k2:9092'],
    registryUrl: good.X_REGISTRY,
    mode: 'b',
  });
});

it('names everything that is missing or wrong at once, by name and expectation, never by value', () => {
  const faults = faultsOf({ X_DATABASE_URL: 'mysql://u:secret@h/db', X_KAFKA: 'secret', PORT: '65536', LOG_LEVEL: 'secret', SHUTDOWN_DEADLINE: 'secret', X_MODE: 'secret' });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['PORT', 'LOG_LEVEL', 'SHUTDOWN_DEADLINE', 'X_DATABASE_URL', 'X_KAFKA', 'X_REGISTRY', 'X_MODE']);
});

it('a token that can be guessed is refused', () => {
  expect(faultsOf({ ...good, ADMIN_TOKEN: 'short' })).toEqual(['ADMIN_TOKEN must be at least 16 visible ASCII characters']);
  expect(faultsOf({ ...good, ADMIN_TOKEN: 'long-enough-token' })).toEqual([]);
});

it.each(['false', '-1', '1e3', '3001.5', '99999999999999999999'])('PORT=%s is refused', (PORT) => {
  expect(faultsOf({ ...good, PORT })).toHaveLength(1);
});
