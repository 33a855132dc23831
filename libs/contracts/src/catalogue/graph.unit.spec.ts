import type { History } from '../lock/history.js';
import type { AvroNode } from '../avro-json.js';
import { FIELDS } from '../check/shop.spec.support.js';
import { type Catalogue, catalogueOf } from './graph.js';
import { shop, sourcesOf } from './sources.spec.support.js';

const email = { field: { type: 'string', doc: 'Where to.', 'confluent:tags': ['PII.email'], deprecated: { effective: '2026-11-21', removal: '2027-02-01', alternative: 'note' } } };
const field = ({ facts }: Catalogue, path: string) => facts[0]!.fields.find((one) => one.path === path);
const readBy = (catalogue: Catalogue, path: string) => Object.fromEntries(field(catalogue, path)!.readBy.map(({ app, declared, environments }) => [app, [...(declared ? ['declared'] : []), ...environments].join(' ')]));

describe('the graph', () => {
  it('joins facts, fields, apps, topics and purposes', async () => {
    const catalogue = catalogueOf(await sourcesOf(shop({ ...FIELDS, email })));
    expect(catalogue.version).toBe(1);
    expect(catalogue.apps.map(({ name, owner, produces, consumes }) => [name, owner, produces, consumes])).toEqual([
      ...['billing', 'board', 'mailer'].map((name) => [name, 'people', [], ['shop.OrderPlaced']]),
      ['shop', 'sales', ['shop.OrderPlaced'], []],
      ['stock', 'people', [], ['shop.OrderPlaced']],
    ]);
    expect(catalogue.topics).toEqual([{ name: 'shop.order', owner: 'shop', keyField: 'orderId', partitions: 6, kind: 'facts', settings: {}, facts: ['shop.OrderPlaced'] }]);
    expect(catalogue.facts[0]).toMatchObject({ name: 'shop.OrderPlaced', producer: 'shop', tags: ['PII.email'], compatibility: 'FULL_TRANSITIVE', declared: true });
    expect(catalogue.facts[0]!.fields.map(({ path, type }) => `${path}: ${type}`)).toEqual([
      'meta: factline.Meta', 'orderId: string', 'email: string', 'status: enum shop.Status', 'total: shop.Money', 'total.cents: long', 'total.currency: string', 'lines: shop.Line[]', 'lines.sku: string', 'lines.quantity: int', 'note: string | null',
    ]);
    expect(field(catalogue, 'email')).toMatchObject({ doc: 'Where to.', tags: ['PII.email'], deprecated: { removal: '2027-02-01', alternative: 'note' } });
    expect(catalogue.facts[0]!.readers.find(({ app }) => app === 'mailer')).toEqual({ app: 'mailer', purpose: 'testing', grants: [], fields: ['orderId', 'email'], deployed: {} });
    expect(catalogue.meta.map(({ path }) => path)).toEqual(['id', 'sequence', 'occurredAt', 'correlationId', 'causationId', 'actor']);
  });

  it('says of each field who reads it, the whole or a part', async () => {
    const catalogue = catalogueOf(await sourcesOf(shop(FIELDS, { audit: '*', billing: ['total.cents'], stock: ['lines'] })));
    expect(readBy(catalogue, 'total')).toEqual({ audit: 'declared', billing: 'declared' });
    expect(readBy(catalogue, 'total.cents')).toEqual({ audit: 'declared', billing: 'declared' });
    expect(readBy(catalogue, 'total.currency')).toEqual({ audit: 'declared' });
    expect(readBy(catalogue, 'lines.sku')).toEqual({ audit: 'declared', stock: 'declared' });
    expect(readBy(catalogue, 'meta')).toEqual({});
  });

  it('says in which environment that holds, what is written there, and what is deployed and declared no more', async () => {
    const { email: _gone, ...rest } = FIELDS;
    const before = shop(FIELDS, { mailer: ['orderId', 'email'], board: ['status'], old: ['note'] });
    const now = shop({ ...rest, channel: { field: { type: 'string', default: '' } } }, { mailer: ['orderId', 'channel'], board: ['status'] });
    const catalogue = catalogueOf(await sourcesOf(now, { prod: before, stage: now }));
    expect(catalogue.environments).toEqual(['prod', 'stage']);
    expect(readBy(catalogue, 'orderId')).toEqual({ mailer: 'declared prod stage' });
    expect(readBy(catalogue, 'channel')).toEqual({ mailer: 'declared stage' });
    expect(readBy(catalogue, 'email')).toEqual({ mailer: 'prod' });
    expect(readBy(catalogue, 'note')).toEqual({ old: 'prod' });
    expect(field(catalogue, 'channel')).toMatchObject({ declared: true, writtenIn: ['stage'] });
    expect(field(catalogue, 'email')).toMatchObject({ declared: false, writtenIn: ['prod'] });
    expect(catalogue.apps.find(({ name }) => name === 'old')).toMatchObject({ declared: false, consumes: ['shop.OrderPlaced'], deployed: { prod: expect.stringMatching(/^4f1c2a9/) as string } });
    expect(catalogue.apps.find(({ name }) => name === 'mailer')!.deployed).toEqual({ prod: expect.any(String) as string, stage: expect.any(String) as string });
  });

  it('keeps a fact that is only deployed', async () => {
    const all = shop(FIELDS, { mailer: ['email'] });
    const { 'schemas/shop/OrderPlaced.avsc': _gone, 'apps/mailer/contracts.yaml': _reader, ...left } = all;
    const catalogue = catalogueOf(await sourcesOf({ ...left, 'apps/shop/contracts.yaml': 'app: shop\nowner: sales\n' }, { prod: all }));
    expect(catalogue.facts.map(({ name, declared }) => [name, declared])).toEqual([['shop.OrderPlaced', false]]);
    expect(readBy(catalogue, 'email')).toEqual({ mailer: 'prod' });
  });

  it('tells every version and what it changed', async () => {
    const was = { type: 'record', name: 'OrderPlaced', namespace: 'shop', fields: [{ name: 'orderId', type: 'string', doc: 'Old words.' }, { name: 'gone', type: 'int' }, { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW'] }, default: 'NEW' }] };
    const is = { ...was, fields: [{ name: 'orderId', type: 'string', doc: 'New words.' }, { name: 'status', type: { type: 'enum', name: 'shop.Status', symbols: ['NEW', 'PAID'] }, default: 'PAID', 'confluent:tags': ['PII'] }] };
    const history: History = { name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions: [{ version: 1, id: 7, schema: was as AvroNode }, { version: 2, id: 9, schema: is as AvroNode }] }]]) };
    const [first, second, declared] = catalogueOf(await sourcesOf(shop()), history).facts[0]!.versions;
    expect(first).toMatchObject({ version: 1, id: 7, changes: [] });
    expect(second).toMatchObject({ version: 2, id: 9 });
    expect(second!.changes).toEqual([
      { kind: 'changed', path: 'orderId', message: 'described in other words' },
      { kind: 'changed', path: 'status', message: 'symbols were NEW, are NEW, PAID; default was "NEW", is "PAID"; tags were none, are PII' },
      { kind: 'removed', path: 'gone', message: 'it was int' },
    ]);
    expect(declared!.version).toBeUndefined();
    expect(declared!.changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(expect.arrayContaining(['added total.cents', 'changed status']));
    const { schemas } = await sourcesOf(shop());
    const same: History = { name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions: [{ version: 1, id: 7, schema: schemas.facts.get('shop.OrderPlaced')!.schema }] }]]) };
    expect(catalogueOf(await sourcesOf(shop()), same).facts[0]!.versions.map(({ version }) => version)).toEqual([1]);
  });

  it('refuses what Avro for Java refuses, and names the file', async () => {
    const faulty = { ...FIELDS, count: { field: { type: 'int', default: 'none' } } };
    const sources = await sourcesOf(shop());
    const fact = sources.schemas.facts.get('shop.OrderPlaced')!;
    const fields = [...fact.schema.fields!, { name: 'count', type: 'nonsense' }];
    const broken = { ...sources, schemas: { ...sources.schemas, facts: new Map([['shop.OrderPlaced', { ...fact, schema: { ...fact.schema, fields } }]]) } };
    expect(() => catalogueOf(broken)).toThrow(expect.objectContaining({ code: 'schema.unknown-type', details: expect.objectContaining({ file: 'shop/OrderPlaced.avsc' }) as object }));
    await expect(sourcesOf(shop(faulty)).then(catalogueOf)).rejects.toMatchObject({ code: 'schema.invalid' });
  });
});
