import { Test } from '@nestjs/testing';
import type { FactlineError } from 'factline/kernel';
import { FactlineModule } from './module.js';
import { type FactlineOptions, validateOptions } from './options.js';

const good: FactlineOptions = { app: 'hr', databaseUrl: 'postgres://h/db', kafka: { brokers: ['k:9092'] }, registryUrl: 'http://r/v7' };

function faultsOf(options: object): readonly string[] {
  try {
    validateOptions(options as FactlineOptions);
  } catch (error) {
    return (error as FactlineError).details['faults'] as string[];
  }
  return [];
}

it('takes good options', () => {
  expect(faultsOf({ ...good, relay: { enabled: false, pollInterval: '250ms', batchSize: 10 }, produces: [], connections: 4 })).toEqual([]);
  expect(faultsOf({ ...good, relay: false })).toEqual([]);
});

it.each([
  ['relay.enabled', { ...good, relay: { enabled: 'false' } }],
  ['relay.pollIntervall', { ...good, relay: { pollIntervall: '1s' } }],
  ['relay.pollInterval', { ...good, relay: { pollInterval: '1 second' } }],
  ['relay', { ...good, relay: true }],
  ['kafka.brokers', { ...good, kafka: { brokers: 'k:9092' } }],
  ['kafka.broker', { ...good, kafka: { brokers: ['k:9092'], broker: 1 } }],
  ['app', { ...good, app: 'HR!' }],
  ['databaseUrl', { ...good, databaseUrl: 'mysql://x' }],
  ['produces', { ...good, produces: ['hr.EmployeeCreated'] }],
  ['producers', { ...good, producers: [] }],
  ['connections', { ...good, connections: 0 }],
])('refuses a wrong %s', (name, options) => {
  const faults = faultsOf(options);
  expect(faults).toHaveLength(1);
  expect(faults[0]!.split(' ')[0]).toBe(name);
});

it('names all faults at once', () => {
  expect(faultsOf({ app: 1, kafka: {}, typo: true }).map((fault) => fault.split(' ')[0])).toEqual(['typo', 'app', 'databaseUrl', 'kafka.brokers', 'registryUrl']);
});

it('is asked before anything is opened, through forRoot and through forRootAsync', async () => {
  const wrong = { ...good, relay: { enabled: 'true' } } as never;
  for (const module of [FactlineModule.forRoot(wrong), FactlineModule.forRootAsync({ useFactory: () => wrong })]) {
    await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toMatchObject({ code: 'nest.options' });
  }
});
