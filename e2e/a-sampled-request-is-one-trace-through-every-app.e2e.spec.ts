import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from 'factline/testing';
import { EMPLOYEE_TOPIC } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';
import { ROOT } from './support/root.js';

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parent?: string;
  links: string[];
  attributes: Record<string, unknown>;
}

const CLIENT_SPAN = 'b7ad6b7169203331';
let here: Estate;
let hr: App;
let payroll: App;
let folder: string;
let hired = 0;

beforeAll(async () => {
  here = await estate();
  folder = mkdtempSync(join(tmpdir(), 'factline-spans-'));
  const recorded = (app: string) => ({ NODE_OPTIONS: `--import ${pathToFileURL(resolve(ROOT, 'dist/e2e/support/spans-to-file.js')).href}`, SPANS_FILE: join(folder, app) });
  [hr, payroll] = [await here.start('hr', recorded('hr')), await here.start('payroll', recorded('payroll'))];
});

afterAll(async () => {
  await here?.close();
  rmSync(folder, { recursive: true, force: true });
});

const spans = (app: string): Span[] => {
  const file = join(folder, app);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Span) : [];
};

/** Hires somebody in a trace that the client has begun, and waits until payroll pays them. */
async function hire(traceId: string, flags: string): Promise<string> {
  const person = people(++hired, here.seed).at(-1)!;
  const { status, headers } = await ask(`${hr.url}/employees`, 'POST', person, { traceparent: `00-${traceId}-${CLIENT_SPAN}-${flags}`, 'x-correlation-id': `${here.prefix}${hired}` });
  expect(status).toBe(201);
  expect((await ask(`${payroll.url}/payees/${person.id}`, 'GET', undefined, { traceparent: `00-${'e'.repeat(32)}-${CLIENT_SPAN}-00`, 'factline-token': headers.get('factline-token')!, prefer: 'wait=10' })).status).toBe(200);
  return person.id;
}

async function traceparentOf(key: string): Promise<string | undefined> {
  const log = here.world.log();
  const [state] = await log.describe([EMPLOYEE_TOPIC]);
  let found: string | undefined;
  await log.read({
    topic: EMPLOYEE_TOPIC,
    ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })),
    batch: ({ records }) => {
      for (const record of records) if (record.key.toString() === key) found = record.headers?.['traceparent']?.toString();
    },
  });
  await log.close();
  return found;
}

it('from the request over the outbox, the relay and the log to the read model', async () => {
  const traceId = 'a1'.repeat(16);
  const key = await hire(traceId, '01');
  const of = (app: string, name: string) => until(`${name} of ${app}`, () => spans(app).find((span) => span.name === name && span.traceId === traceId));
  const request = await of('hr', 'POST /employees');
  expect(request).toMatchObject({ parent: CLIENT_SPAN, attributes: { 'http.response.status_code': 201, 'factline.correlation_id': `${here.prefix}1` } });
  const here1 = `${traceId}-${request.spanId}`;
  expect(await traceparentOf(key)).toBe(`00-${here1}-01`);
  expect(await of('hr', `send ${EMPLOYEE_TOPIC}`)).toMatchObject({ parent: request.spanId, links: [here1], attributes: { 'messaging.system': 'kafka', 'messaging.operation.type': 'send' } });
  expect(await of('payroll', `process ${EMPLOYEE_TOPIC}`)).toMatchObject({ parent: request.spanId, links: [here1], attributes: { 'messaging.consumer.group.name': 'payroll.payees', 'factline.subscription': 'payees', 'messaging.operation.type': 'process' } });
});

it('an unsampled request leaves nothing anywhere', async () => {
  const traceId = 'b2'.repeat(16);
  const key = await hire(traceId, '00');
  await hire('c3'.repeat(16), '01'); // whatever the one before it left would be written by now
  await until('the later trace', () => spans('payroll').some((span) => span.traceId === 'c3'.repeat(16)));
  expect(await traceparentOf(key)).toBeUndefined();
  expect([...spans('hr'), ...spans('payroll')].filter((span) => span.traceId === traceId || span.links.some((link) => link.startsWith(traceId)))).toEqual([]);
});
