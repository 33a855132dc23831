import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Base, type FileTree, type Landscape, checkContracts, readLandscape } from 'factline/contracts/check';
import { linesOf } from './reports/text.js';

/*
 * Whom a change breaks, as it is told: one golden file a change, written anew by UPDATE_GOLDEN=1. Four apps read a part of one fact each, a fifth all of it.
 */

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), 'golden');
const FOLDERS = { schemas: 'schemas', apps: 'apps' };

type Fields = Readonly<Record<string, unknown>>;

const money = (cents: unknown) => ({ type: 'record', name: 'Money', fields: [{ name: 'cents', type: cents }, { name: 'currency', type: 'string' }] });
const status = (...symbols: string[]) => ({ type: 'enum', name: 'Status', symbols });
const line = (...fields: object[]) => ({ type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }, ...fields] } });
const quantity = { name: 'quantity', type: 'int' };

const FIELDS: Fields = {
  orderId: 'string',
  email: 'string',
  status: status('NEW', 'PAID'),
  total: money('long'),
  lines: line(quantity),
  labels: { type: 'map', values: 'string' },
  note: ['null', 'string'],
  kind: { type: 'enum', name: 'Kind', symbols: ['SHOP', 'OTHER'], default: 'OTHER' },
  channel: { $field: { type: 'string', default: 'shop' } },
  placedAt: { type: 'long', logicalType: 'timestamp-millis' },
};

const APPS: Readonly<Record<string, readonly string[] | '*'>> = {
  mailer: ['orderId', 'email', 'note'],
  board: ['orderId', 'status', 'kind', 'channel', 'placedAt'],
  billing: ['orderId', 'total.cents', 'labels'],
  stock: ['lines.sku', 'lines.quantity'],
  archive: '*',
};

interface Change {
  readonly after: Fields;
  /** Versions that were registered before the one that is compared with. */
  readonly history?: readonly Fields[];
}

const without = (...names: string[]): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([name]) => !names.includes(name)));

const CHANGES: Readonly<Record<string, Change>> = {
  'a field is dropped': { after: without('email') },
  'an enum gets a symbol': { after: { ...FIELDS, status: status('NEW', 'PAID', 'LOST') } },
  'a nested type changes': { after: { ...FIELDS, total: money('string') } },
  'a required field is added': { after: { ...FIELDS, priority: 'int' } },
  'a nested field that nobody selects is dropped': { after: { ...FIELDS, total: { ...money('long'), fields: [{ name: 'cents', type: 'long' }] } } },
  'the element of an array loses a field': { after: { ...FIELDS, lines: line() } },
  'the values of a map change': { after: { ...FIELDS, labels: { type: 'map', values: 'int' } } },
  'a union loses a branch': { after: { ...FIELDS, note: 'string' } },
  'a union gets a branch': { after: { ...FIELDS, note: ['null', 'string', 'int'] } },
  'an enum with a default gets a symbol': { after: { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['SHOP', 'PHONE', 'OTHER'], default: 'OTHER' } } },
  'an enum of a deprecated field gets a symbol': { after: { ...FIELDS, kind: { $field: { type: { type: 'enum', name: 'Kind', symbols: ['SHOP', 'PHONE', 'OTHER'], default: 'OTHER' }, deprecated: { effective: '2026-11-01', removal: '2027-02-01' } } } } },
  'an enum loses its default': { after: { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['SHOP', 'OTHER'] } } },
  'a field with a default is dropped': { after: without('channel') },
  'a field is renamed with an alias': { after: { ...without('email'), mail: { $field: { type: 'string', aliases: ['email'] } } } },
  'a field is renamed without an alias': { after: { ...without('email'), mail: 'string' } },
  'a named type moves to another namespace': { after: { ...FIELDS, status: { ...status('NEW', 'PAID'), namespace: 'shop.v2' } } },
  'milliseconds become microseconds': { after: { ...FIELDS, placedAt: { type: 'long', logicalType: 'timestamp-micros' } } },
  'a field comes back as another type, and old facts cannot be replayed': { after: { ...FIELDS, coupon: { $field: { type: ['null', 'int'], default: null } } }, history: [{ ...FIELDS, coupon: { $field: { type: ['null', 'string'], default: null } } }] },
  'a field that is optional is added': { after: { ...FIELDS, coupon: { $field: { type: ['null', 'string'], default: null } } } },
};

function files(fields: Fields): Record<string, string> {
  const written = Object.entries(fields).map(([name, type]) => JSON.stringify(typeof type === 'object' && type !== null && '$field' in type ? { name, ...(type.$field as object) } : { name, type }));
  const contract = (app: string, select: readonly string[] | '*') =>
    `app: ${app}\nowner: people\nproduces: []\nconsumes:\n  - fact: shop.OrderPlaced\n${select === '*' ? '    select: "*"\n    reason: it keeps everything' : `    select:\n${select.map((field) => `      - ${field}`).join('\n')}`}\n    purpose: testing\n`;
  return {
    'schemas/shop/order/topic.yaml': 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\n',
    'schemas/shop/order/OrderPlaced.avsc': `{\n  "type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [\n    {"name": "meta", "type": "factline.Meta"},\n    ${written.join(',\n    ')}\n  ]\n}\n`,
    ...Object.fromEntries(Object.entries(APPS).map(([app, select]) => [`apps/${app}/contracts.yaml`, contract(app, select)])),
  };
}

function landscape(name: string, fields: Fields): Promise<Landscape> {
  const of = files(fields);
  const tree: FileTree = { name, list: async (folder) => Object.keys(of).filter((file) => file.startsWith(`${folder}/`)).toSorted(), read: async (file) => of[file]! };
  return readLandscape(tree, FOLDERS);
}

async function told({ after, history = [] }: Change): Promise<string> {
  const bases: Base[] = [{ name: 'git 4f1c2a9', landscapes: [await landscape('git 4f1c2a9', FIELDS)] }];
  if (history.length > 0) {
    const versions = await Promise.all([...history, FIELDS].map(async (fields, at) => ({ version: at + 1, id: at + 1, schema: (await landscape('', fields)).schemas.facts.get('shop.OrderPlaced')!.schema })));
    bases.push({ name: 'lock', landscapes: [], history: { name: 'lock', file: 'schemas/registry.lock.json', subjects: new Map([['shop.OrderPlaced', { level: 'FULL_TRANSITIVE', versions }]]) } });
  }
  const { findings, consumers } = checkContracts(await landscape('working tree', after), bases, { today: '2026-11-21' }); // what has nothing to compare with is style
  const verdicts = consumers.map(({ app, verdict }) => `${app} ${verdict}`).toSorted().join(', ');
  return `${verdicts}\n\n${findings.filter(({ against }) => against.length > 0).map((finding) => `${linesOf(finding).join('\n')}\n`).join('\n')}`;
}

const fileOf = (name: string) => `${name.replaceAll(/[ ,]+/g, '-')}.txt`;

describe('whom a change breaks', () => {
  it.each(Object.entries(CHANGES))('%s', async (name, change) => {
    const file = join(GOLDEN, fileOf(name));
    const text = await told(change);
    if (process.env['UPDATE_GOLDEN']) writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it('every golden file belongs to a change', () => {
    expect(readdirSync(GOLDEN).toSorted()).toEqual(Object.keys(CHANGES).map(fileOf).toSorted());
  });
});
