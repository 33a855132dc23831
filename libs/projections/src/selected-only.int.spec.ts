import { inspect } from 'node:util';
import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, type WriterSchemas } from 'factline/contracts';
import { type OutgoingRecord, kafkaLog } from 'factline/log';
import { identifier } from 'factline/store';
import { selectInSpec, until } from 'factline/testing';
import pino from 'pino';
import { type Account, numbered, opened, recordOf, schemaIdOfKind, step, writers } from './accounts.spec.support.js';
import { LiveProjection, type Projection, projection } from './index.js';
import { type Scene, type Site, site } from './site.spec.support.js';

/** The owner of each account: in every fact on the topic, and selected by nobody but the controls. */
const MARKER = 'SECRET-4711';

let there: Site;
let scene: Scene;
beforeAll(async () => {
  there = await site();
});
afterAll(() => there.close());
beforeEach(async () => {
  scene = await there.scene(1);
});
afterEach(() => scene.close());

/** A version of the fact that was registered without the field that everybody selects. */
const NARROW_ID = 2_100_000_000;
const allWriters: WriterSchemas = {
  byId: async (id) => {
    const { fields, ...record } = (await writers.byId(id === NARROW_ID ? schemaIdOfKind('Opened') : id)) as { fields: { name: string }[] };
    return { ...record, fields: id === NARROW_ID ? fields.filter(({ name }) => name !== 'cents') : fields };
  },
};
const idBytes = (id: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes;
};

interface Opened extends Account {
  owner?: string;
  cents: number;
}

/** What is read of an account that was opened: all of it (for controls), or all but its owner. */
function selectionOf(owner: boolean) {
  const all = opened(scene.topic);
  const { fields, ...record } = all.schema as { fields: { name: string }[] };
  return selectInSpec<Opened>({ ...all, schema: { ...record, fields: fields.filter(({ name }) => owner || name !== 'owner') }, fingerprint: String(owner) });
}

type Handler = (fact: { data: Opened }) => { cents: number; note: unknown };
const keepAll: Handler = ({ data }) => ({ cents: data.cents, note: data });

function model(owner: boolean, handler: Handler = keepAll): Projection {
  const made = projection({ name: scene.name, version: 1, key: 'id', columns: { id: 'text', cents: 'bigint', note: 'jsonb' } });
  return made.on(selectionOf(owner), (_row, fact) => ({ id: fact.key, ...handler(fact) })) as unknown as Projection;
}

/** Feeds the projection as a service does, with everything that anyone logs kept. @returns all that is left of it: log lines, status, tables. */
async function fed(subject: Projection, state: 'LIVE' | 'BLOCKED-KEYS'): Promise<string> {
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const log = kafkaLog({ brokers: there.at.kafka, clientId: scene.group, log: logger });
  const target = new LiveProjection(subject, there.store, new FactDecoder(subject.facts, allWriters, 'spec'), 'spec', logger);
  const subscription = new FactSubscription({ name: scene.name, group: scene.group, topics: [scene.topic], log, target, freshness: new Freshness(), logger });
  scene.onClose(async () => {
    await subscription.stop();
    await log.close();
  });
  subscription.start();
  await until(`the subscription is ${state}`, () => subscription.status.state === state && (state === 'BLOCKED-KEYS' || subscription.status.counts.facts > 0));
  expect(lines.join('')).toContain('subscribing');
  if (state === 'BLOCKED-KEYS') expect(lines.join('')).toContain('its key is blocked');
  return [...lines, JSON.stringify(subscription.status), ...(await tables(scene.name))].join('\n');
}

/** Every row of every table of a schema, as text. */
async function tables(schema: string): Promise<string[]> {
  const { rows } = await there.store.query<{ name: string }>('select table_name as name from information_schema.tables where table_schema = $1', [schema]);
  const all = await Promise.all(rows.map(({ name }) => there.store.query<{ row: string }>(`select t::text as row from ${identifier(schema)}.${identifier(name)} t`)));
  return all.flatMap(({ rows: found }) => found.map(({ row }) => row));
}

const accounts = () => numbered([step('a', 'Opened', 5, MARKER), step('b', 'Opened', 6, MARKER)]);
const holdsMarker = (text: string) => [MARKER, Buffer.from(MARKER).toString('hex'), [...Buffer.from(MARKER)].join(',')].some((form) => text.includes(form));
const throwing: Handler = (fact) => {
  throw new Error(`cannot fold ${inspect(fact, { depth: 9, showHidden: true })} ${JSON.stringify(fact)}`);
};

describe('a field that nobody selected', () => {
  it('is in no row and no log line when all goes well', async () => {
    await scene.publish(accounts());
    const kept = await fed(model(false), 'LIVE');
    expect(kept).toContain('""cents"": 5');
    expect(holdsMarker(kept)).toBe(false);
  });

  it('is in the row once it is selected (control)', async () => {
    await scene.publish(accounts());
    expect(holdsMarker(await fed(model(true), 'LIVE'))).toBe(true);
  });

  it.each<[string, string, (record: OutgoingRecord) => Buffer]>([
    ['bytes that end too early', 'fact.undecodable', ({ value }) => value.subarray(0, value.length - 1)],
    ['bytes behind the end', 'fact.undecodable', ({ value }) => Buffer.concat([value, Buffer.from(MARKER)])],
    ['a wrong length of the field', 'fact.undecodable', ({ value }) => Buffer.concat([value.subarray(0, value.indexOf(MARKER) - 1), Buffer.of(0xff, 0xff, 0xff, 0x7f), value.subarray(value.indexOf(MARKER))])],
    ['no Avro at all', 'fact.undecodable', () => Buffer.from(`{"owner":"${MARKER}"}`)],
    ['a schema without what is selected', 'fact.unreadable', ({ value }) => Buffer.concat([value.subarray(0, 1), idBytes(NARROW_ID), value.subarray(5)])],
    ['a fact that is missing before it', 'fact.sequence-gap', () => recordOf({ ...step('a', 'Opened', 7, MARKER), sequence: 4 }).value],
  ])('is nowhere when a key is blocked by %s', async (_what, code, change) => {
    await scene.publish(accounts());
    const value = change(recordOf({ ...step('a', 'Opened', 7, MARKER), sequence: 2 }));
    expect(value.includes(MARKER)).toBe(true);
    await scene.publishRaw(0, [{ key: Buffer.from('a'), value }]);
    const kept = await fed(model(false), 'BLOCKED-KEYS');
    expect(kept).toContain(code);
    expect(holdsMarker(kept)).toBe(false);
  });

  it.each<[string, string, Handler]>([
    ['throws what it was given', 'projection.fold-failed', throwing],
    ['answers what is no row', 'projection.row-invalid', (fact) => ({ cents: fact as never, note: fact })],
    ['answers what the database refuses', 'store.value', ({ data }) => ({ cents: data.cents, note: '\0' })],
  ])('is nowhere when the fold %s', async (_what, code, handler) => {
    await scene.publish(accounts());
    const kept = await fed(model(false, handler), 'BLOCKED-KEYS');
    expect(kept).toContain(code);
    expect(holdsMarker(kept)).toBe(false);
  });

  it('is in the log once it is selected, when the fold throws what it was given (control)', async () => {
    await scene.publish(accounts());
    expect(holdsMarker(await fed(model(true, throwing), 'BLOCKED-KEYS'))).toBe(true);
  });

  it('is in nothing that a replay stages, compares or says', async () => {
    await scene.publish(accounts());
    await fed(model(false), 'LIVE');
    let calls = 0;
    const drifting: Handler = ({ data }) => ({ cents: data.cents + ++calls, note: data });
    const said: unknown[] = [];
    const rebuild = await scene.rebuild({ projection: model(false, drifting), onProgress: (progress) => void said.push(progress) });
    said.push(await rebuild.preflight(), await rebuild.stage(), await rebuild.verify(), await rebuild.status());
    const shown = [JSON.stringify(said), ...(await tables(`${scene.name}_next`)), ...(await tables('factline'))].join('\n');
    expect(shown).toContain('"equal":false');
    expect(holdsMarker(shown)).toBe(false);
  });
});
