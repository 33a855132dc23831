import type { History } from '../lock/history.js';
import { changesSince } from './changes.js';
import type { DeclaredChange } from './declared-change.js';
import { type Base, type Landscape, readLandscape, restrictedTo } from './landscape.js';
import { APPS, FIELDS, FOLDERS, type Fields, type Files, files, money, status, tree } from './shop.spec.support.js';

const landscape = (of: Files, name = 'working tree'): Promise<Landscape> => readLandscape(tree(name, of), FOLDERS);
const commit = async (of: Files): Promise<Base> => ({ name: 'git 4f1c2a9', landscapes: [await landscape(of, 'git 4f1c2a9')] });
const since = async (now: Files, before: Files = files()): Promise<DeclaredChange[]> => changesSince(await commit(before), await landscape(now));

/** `fact shop.OrderPlaced.email removed: it was string | FULL_TRANSITIVE forbids field-removed | mailer BROKEN`. */
function told({ of, name, path, kind, message, level, rules, consumers }: DeclaredChange): string {
  const judged = rules.length === 0 ? [] : [`${level ? `${level.name} ${level.allows ? 'allows' : 'forbids'} ` : ''}${rules.join(' ')}`];
  const hit = consumers.map(({ app, verdict }) => `${app} ${verdict}`);
  return [`${of} ${[name, path].filter(Boolean).join(' ')} ${kind}: ${message}`, ...judged, ...hit].join(' | ');
}

const attributes = (more: object) => ({ field: { type: ['null', 'string'], default: null, ...more } });
const without = (name: string): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([key]) => key !== name));
const ORDER = 'fact shop.OrderPlaced';

it('control: nothing changed, nothing is listed', async () => {
  expect(await since(files())).toEqual([]);
});

describe('of a fact', () => {
  it.each<[string, Fields, string]>([
    ['a field gone', without('email'), `${ORDER} email removed: it was string | FULL_TRANSITIVE forbids field-removed | mailer BROKEN`],
    ['a field gone that nobody selects', without('note'), `${ORDER} note removed: it was string | null | FULL_TRANSITIVE forbids field-removed`],
    ['a required field', { ...FIELDS, channel: 'string' }, `${ORDER} channel added: string | FULL_TRANSITIVE forbids field-without-default`],
    ['an optional field', { ...FIELDS, channel: attributes({}) }, `${ORDER} channel added: string | null, default null`],
    ['a record with what is in it', { ...FIELDS, paid: { field: { type: ['null', 'shop.Money'], default: null } } }, `${ORDER} paid added: shop.Money | null, default null`],
    ['a type inside a record', { ...FIELDS, total: { ...money, fields: [{ name: 'cents', type: 'string' }, { name: 'currency', type: 'string' }] } }, `${ORDER} total.cents changed: was long, is string | FULL_TRANSITIVE forbids type-changed | billing BROKEN`],
    ['a field of the element of a list', { ...FIELDS, lines: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }] } } }, `${ORDER} lines.quantity removed: it was int | FULL_TRANSITIVE forbids field-removed | stock BROKEN`],
    ['a symbol', { ...FIELDS, status: { ...status, symbols: ['NEW', 'PAID', 'LOST'] } }, `${ORDER} status changed: symbols were NEW, PAID, are NEW, PAID, LOST | FULL_TRANSITIVE forbids enum-symbol-unknown | board BROKEN`],
  ])('%s', async (_what, fields, expected) => {
    expect((await since(files(fields))).map(told)).toEqual([expected]);
  });

  it.each<[string, object, object, string]>([
    ['unit', { unit: 'cm' }, { unit: 'mm' }, 'unit was cm, is mm | FULL_TRANSITIVE allows unit-changed | reader DEGRADED'],
    ['tags', { 'confluent:tags': ['PII'] }, {}, 'tags were PII, are none | FULL_TRANSITIVE allows tag-removed | reader DEGRADED'],
    ['deprecation', {}, { deprecated: { effective: '2026-11-21', removal: '2027-02-01' } }, 'deprecated since 2026-11-21, to be removed from 2027-02-01 on.'],
    ['documentation', { doc: 'Said.' }, { doc: 'Said better.' }, 'described in other words'],
  ])('the %s of a field', async (_what, before, after, expected) => {
    const reader = { reader: ['orderId', 'channel'] };
    const changes = await since(files({ ...FIELDS, channel: attributes(after) }, reader), files({ ...FIELDS, channel: attributes(before) }, reader));
    expect(changes.map(told)).toEqual([`${ORDER} channel changed: ${expected}`]);
  });

  it('its default, whom it degrades, and that the level does not mind', async () => {
    const [before, after] = ['none', '-'].map((value) => files({ ...FIELDS, channel: { field: { type: 'string', default: value } } }, { board: ['channel'], stock: ['orderId'] }));
    expect((await since(after!, before)).map(told)).toEqual([`${ORDER} channel changed: default was "none", is "-" | FULL_TRANSITIVE allows default-changed | board DEGRADED`]);
  });

  it('the fact itself: new, gone, judged by another level', async () => {
    const without_ = Object.fromEntries(Object.entries(files(FIELDS, {})).filter(([file]) => !file.endsWith('OrderPlaced.avsc')));
    expect((await since(files(FIELDS, {}), without_)).map(told)).toEqual([`${ORDER} added: on shop.order, stated by shop`]);
    expect((await since({ ...without_, 'apps/mailer/contracts.yaml': files()['apps/mailer/contracts.yaml']! })).map(told)).toContain(`${ORDER} removed: it was on shop.order, stated by shop | fact-removed | billing BROKEN | board BROKEN | mailer BROKEN | stock BROKEN`);
    const backward = files(without('note'), APPS, { 'schemas/contracts.config.yaml': 'compatibility: BACKWARD\n' });
    const [level, note] = await since(backward);
    expect([told(level!), told(note!)]).toEqual([`${ORDER} changed: level was FULL_TRANSITIVE, is BACKWARD`, `${ORDER} note removed: it was string | null`]);
    expect(note!.level).toEqual({ name: 'BACKWARD', allows: true });
  });

  it('what no field shows is said to be there, and what is found in it stands beside its own field', async () => {
    const choice = (type: string) => ['string', { type: 'record', name: 'One', fields: [{ name: 'value', type }] }];
    const union = await since(files({ ...FIELDS, either: choice('string') }), files({ ...FIELDS, either: choice('long') }));
    expect(union).toHaveLength(2);
    expect(told(union[0]!)).toContain('changed in what no field shows');
    expect(told(union[1]!)).toMatch(/^fact shop\.OrderPlaced either.* changed: .* \| FULL_TRANSITIVE forbids /);
    const alias = (aliases: string[]) => files({ ...FIELDS, note: { field: { type: ['null', 'string'], aliases } } });
    expect((await since(alias(['remark']), alias([]))).map(told)).toEqual([expect.stringContaining('what no field shows: names of types, aliases')]);
  });

  it('says where it is written; of what is gone, what was around it', async () => {
    const [status_] = await since(files({ ...FIELDS, status: 'string' }));
    expect(status_!.place).toMatchObject({ file: 'schemas/shop/OrderPlaced.avsc', line: 6 });
    const [email] = await since(files(without('email')));
    expect(email!.place).toMatchObject({ file: 'schemas/shop/OrderPlaced.avsc', line: 2 });
  });
});

it('of a topic: each setting; another number of partitions is refused, and breaks nobody by itself', async () => {
  const topic = (text: string) => files(FIELDS, APPS, { 'schemas/shop/topic.yaml': text });
  const now = topic('name: shop.order\nowner: sales\nkeyField: orderId\npartitions: 12\nkind: facts\nheaders: cloudevents\nsettings:\n  retention.ms: 5\n');
  const changes = await since(now, topic('name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\nsettings:\n  cleanup.policy: delete\n'));
  expect(changes.map(told)).toEqual([
    'topic shop.order owner changed: was shop, is sales',
    'topic shop.order partitions changed: was 6, is 12 | key-changed',
    'topic shop.order settings.cleanup.policy removed: was delete, is not set',
    'topic shop.order headers added: was not set, is cloudevents',
    'topic shop.order settings.retention.ms added: was not set, is 5',
  ]);
  expect(changes.map(({ place }) => place?.line)).toEqual([2, 4, 8, 6, 8]);
});

describe('of an app', () => {
  const contract = (rest: string) => ({ 'apps/mailer/contracts.yaml': `app: mailer\nowner: people\n${rest}` });
  const reads = (select: string, more = 'purpose: letters') => contract(`produces: []\nconsumes:\n  - fact: shop.OrderPlaced\n    select: [${select}]\n    ${more}\n`);
  const mailer = (rest: Files) => files(FIELDS, {}, rest);

  it.each<[string, Files, Files, string]>([
    ['selects more and less', reads('orderId, email'), reads('orderId, note, status'), 'changed: selects note, status; no longer selects email'],
    ['has another purpose and grants', reads('email', 'purpose: letters\n    grants: [PII]'), reads('email', 'purpose: invoices\n    grants: [PII.mail]'), 'changed: is granted PII.mail; no longer is granted PII; purpose was "letters", is "invoices"'],
    ['begins to read it', contract('produces: []\nconsumes: []\n'), reads('email'), 'added: reads it, selects email: letters'],
    ['stops reading it', reads('email'), contract('produces: []\nconsumes: []\n'), 'removed: does not read it any more; selected email'],
    ['begins to state it', contract('produces: []\nconsumes: []\n'), contract('produces: [shop.OrderPlaced]\nconsumes: []\n'), 'added: states it'],
    ['stops stating it', contract('produces: [shop.OrderPlaced]\nconsumes: []\n'), contract('produces: []\nconsumes: []\n'), 'removed: does not state it any more'],
  ])('it %s', async (_what, before, after, expected) => {
    const changes = await since(mailer(after), mailer(before));
    expect(changes.map(told)).toEqual([`app mailer shop.OrderPlaced ${expected}`]);
    expect(changes[0]!.place).toMatchObject({ file: 'apps/mailer/contracts.yaml' });
  });

  it('it is new, gone, or of somebody else', async () => {
    expect((await since(mailer(contract('produces: []\n')), mailer({}))).map(told)).toEqual(['app mailer added: its owner is people']);
    expect((await since(mailer({}), mailer(contract('produces: []\n')))).map(told)).toEqual(['app mailer removed: its owner was people']);
    expect((await since(mailer({ 'apps/mailer/contracts.yaml': 'app: mailer\nowner: sales\n' }), mailer(contract('produces: []\n')))).map(told)).toEqual(['app mailer changed: its owner was people, is sales']);
  });

  it('a selection of what is not there stands beside it, not beside what was so before', async () => {
    expect((await since(mailer(reads('orderId, nothing')), mailer(reads('orderId')))).map(told)).toEqual(['app mailer shop.OrderPlaced changed: selects nothing | selects-unknown']);
    expect(await since(mailer(reads('nothing')), mailer(reads('nothing')))).toEqual([]);
  });

  it('an app that stops selecting what goes in the same change is still broken by it', async () => {
    const changes = await since(files(without('email'), { ...APPS, mailer: ['orderId'] }));
    expect(changes.map(told)).toEqual([`${ORDER} email removed: it was string | FULL_TRANSITIVE forbids field-removed | mailer BROKEN`, 'app mailer shop.OrderPlaced changed: no longer selects email']);
    expect(changes[0]!.consumers[0]).toMatchObject({ tree: 'git 4f1c2a9' });
  });
});

describe('against other bases', () => {
  async function registered(...versions: readonly Fields[]): Promise<Base> {
    const schemas = await Promise.all(versions.map(async (fields) => (await landscape(files(fields))).schemas.facts.get('shop.OrderPlaced')!.schema));
    const history: History = { name: 'lock', file: 'schemas/registry.lock.json', subjects: new Map([['shop.OrderPlaced', { level: 'BACKWARD', versions: schemas.map((schema, at) => ({ version: at + 1, id: at + 1, schema })) }]]) };
    return { name: 'lock', landscapes: [], history };
  }

  it('the lock: listed against the newest version, judged against all of them; topics and apps are not in it', async () => {
    const now = await landscape(files({ ...FIELDS, channel: { field: { type: ['null', 'int'], default: null } } }));
    expect(changesSince(await registered({ ...FIELDS, channel: attributes({}) }, FIELDS), now).map(told)).toEqual([
      `${ORDER} changed: level was BACKWARD, is FULL_TRANSITIVE`,
      `${ORDER} channel added: int | null, default null | FULL_TRANSITIVE forbids union-branch-removed`,
    ]);
    expect(changesSince(await registered(FIELDS), now).map(({ rules }) => rules)).toEqual([[], []]);
  });

  it('an environment: each app as it is there, and what does not run there is new', async () => {
    const prod: Base = { name: 'prod', landscapes: [restrictedTo(await landscape(files()), 'prod 4f1c2a9', new Set(['shop', 'mailer']))] };
    const changes = changesSince(prod, await landscape(files(without('email'), { mailer: ['orderId'], board: ['orderId'] })));
    expect(changes.map(told)).toEqual([
      `${ORDER} email removed: it was string | FULL_TRANSITIVE forbids field-removed | mailer BROKEN`,
      'app board added: its owner is people',
      'app board shop.OrderPlaced added: reads it, selects orderId: testing',
      'app mailer shop.OrderPlaced changed: no longer selects email',
    ]);
    expect(changes[0]!.consumers[0]!.deployed).toEqual(['prod 4f1c2a9']);
  });
});
