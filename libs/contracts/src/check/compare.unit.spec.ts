import { type Comparison, compareContracts } from './compare.js';
import { type Base, readLandscape } from './landscape.js';
import { searchedBy } from '../searches.spec.support.js';
import { APPS, FIELDS, FOLDERS, type Fields, type Files, files, money, status, tree } from './shop.spec.support.js';

async function check(now: Files, before: Files = files()): Promise<Comparison> {
  return compareContracts(await readLandscape(tree('working tree', now), FOLDERS), [{ name: 'base', landscapes: [await readLandscape(tree('base', before), FOLDERS)] }]);
}

const without = (name: string): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([key]) => key !== name));
const verdicts = ({ consumers }: Comparison) => Object.fromEntries(consumers.map(({ app, verdict }) => [app, verdict]));
const SAFE = { mailer: 'SAFE', board: 'SAFE', billing: 'SAFE', stock: 'SAFE' };
const found = ({ findings }: Comparison) => findings.map(({ rule, field }) => (field ? `${rule} ${field}` : rule));

describe('a selection', () => {
  it.each([[['orderId', 'email']], [['total.cents', 'email']]])('of one app is not taken for that of another whose names it runs together: %j', async (select) => {
    const apps = { board: [select.join(' ')], mailer: select };
    expect(verdicts(await check(files(without('email'), apps), files(FIELDS, apps)))).toEqual({ board: 'SAFE', mailer: 'BROKEN' });
  });

  it('is pointed at where it holds what changed, also as a part of it', async () => {
    const apps = { billing: ['orderId', 'total'], stock: ['orderId', 'lines'] };
    const changed = { ...FIELDS, total: { ...money, fields: [{ name: 'cents', type: 'string' }, { name: 'currency', type: 'string' }] } };
    const { consumers } = await check(files(changed, apps), files(FIELDS, apps));
    expect(consumers.map(({ app, verdict, place }) => [app, verdict, place.line])).toEqual([['billing', 'BROKEN', 8], ['stock', 'SAFE', 5]]);
  });

  it.each<[string, Fields, string[], string, string]>([
    ['a field twice', FIELDS, ['email', 'email'], "'email' is selected twice.", 'apps/mailer/contracts.yaml:8'],
    ['a record and a part of it', FIELDS, ['total', 'total.cents'], "'total.cents' is selected twice.", 'apps/mailer/contracts.yaml:8'],
    ['one type in two ways', { ...FIELDS, tip: 'Money' }, ['total.cents', 'tip.currency'], "'tip' and another field have the type shop.Money, but other parts of it are selected.", 'apps/mailer/contracts.yaml:7'],
  ])('of %s is refused where it is written, and judges nobody else', async (_what, fields, select, message, place) => {
    const { findings, consumers } = await check(files(fields, { ...APPS, mailer: select }), files(fields));
    expect(findings.map(({ rule, message: said, place: { file, line } }) => [rule, said, `${file}:${line}`])).toEqual([['selection-refused', message, place]]);
    expect(consumers.map(({ verdict }) => verdict)).toEqual(['SAFE', 'SAFE', 'SAFE', 'SAFE']);
  });

  it('that was refused before keeps nothing from being compared', async () => {
    const before = files(FIELDS, { ...APPS, mailer: ['email', 'email'] });
    expect(found(await check(files(without('email'), { ...APPS, mailer: ['orderId'] }), before))).toEqual(['field-removed email']);
  });
});

describe('whom a change breaks', () => {
  it('nothing changed: no finding, everybody safe', async () => {
    const result = await check(files());
    expect(result.findings).toEqual([]);
    expect(result.facts).toEqual({ checked: 1, added: 0, changed: 0, removed: 0 });
    expect(verdicts(result)).toEqual(SAFE);
  });

  it.each<[string, Fields, string, Record<string, string>]>([
    ['a field is dropped', without('email'), 'field-removed email', { mailer: 'BROKEN' }],
    ['an enum gets a symbol', { ...FIELDS, status: { ...status, symbols: ['NEW', 'PAID', 'LOST'] } }, 'enum-symbol-unknown status', { board: 'BROKEN' }],
    ['a nested type changes', { ...FIELDS, total: { ...money, fields: [{ name: 'cents', type: 'string' }, { name: 'currency', type: 'string' }] } }, 'type-changed total.cents', { billing: 'BROKEN' }],
    ['the element of a list changes', { ...FIELDS, lines: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }] } } }, 'field-removed lines[].quantity', { stock: 'BROKEN' }],
    ['a required field is added', { ...FIELDS, channel: 'string' }, 'field-without-default channel', {}],
    ['a field that nobody selects may not be null any more', { ...FIELDS, note: 'string' }, 'type-changed note', {}],
    ['a branch is added that nobody reads', { ...FIELDS, note: ['null', 'string', 'int'] }, 'union-branch-removed note', {}],
  ])('%s', async (_name, fields, expected, broken) => {
    const result = await check(files(fields));
    expect(found(result)).toEqual([expected]);
    expect(verdicts(result)).toEqual({ ...SAFE, ...broken });
    expect(result.findings[0]!.severity).toBe('error');
    expect(result.findings[0]!.consumers.filter(({ verdict }) => verdict === 'BROKEN').map(({ app }) => app)).toEqual(Object.keys(broken));
    expect(result.findings[0]!.advice.startsWith('No declared consumer is affected')).toBe(Object.keys(broken).length === 0);
  });

  it('control: an app that selects everything is broken by each of them', async () => {
    const all = files(undefined, { archive: '*' });
    expect(verdicts(await check(files(without('note'), { archive: '*' }), all))).toEqual({ archive: 'BROKEN' });
    expect(verdicts(await check(files(without('email'), { archive: '*' }), all))).toEqual({ archive: 'BROKEN' });
  });

  it('is said at its line, however the folder of the schemas is written', async () => {
    const now = await readLandscape(tree('working tree', files(without('email'))), { schemas: './schemas/', apps: 'apps' });
    const base = { name: 'base', landscapes: [await readLandscape(tree('base', files()), FOLDERS)] };
    const [{ place }] = compareContracts(now, [base]).findings as [Comparison['findings'][number]];
    expect(place).toEqual((await check(files(without('email')))).findings[0]!.place);
    expect(place).toMatchObject({ file: 'schemas/shop/OrderPlaced.avsc', line: 2 });
  });

  it('all faults at once, each once, where they are written', async () => {
    const { findings } = await check(files({ ...without('email'), orderId: 'string', channel: 'string', status: { ...status, symbols: ['NEW', 'PAID', 'LOST'] } }));
    expect(findings.map(({ rule, field, place }) => [rule, field, `${place.file}:${place.line}`])).toEqual(
      expect.arrayContaining([
        ['field-removed', 'email', 'schemas/shop/OrderPlaced.avsc:2'],
        ['enum-symbol-unknown', 'status', 'schemas/shop/OrderPlaced.avsc:5'],
        ['field-without-default', 'channel', 'schemas/shop/OrderPlaced.avsc:9'],
      ]),
    );
    expect(findings).toHaveLength(3);
    expect(findings.find(({ rule }) => rule === 'field-removed')!.consumers[0]).toMatchObject({ app: 'mailer', place: { file: 'apps/mailer/contracts.yaml', line: 8, column: 9 } });
  });

  it('an app that stops selecting in the same change still runs with the old selection', async () => {
    const result = await check(files(without('email'), { ...APPS, mailer: ['orderId'] }));
    expect(result.consumers.find(({ app }) => app === 'mailer')).toMatchObject({ verdict: 'BROKEN', tree: 'base' });
    const later = await check(files(without('email'), { ...APPS, mailer: ['orderId'] }), files(FIELDS, { ...APPS, mailer: ['orderId'] }));
    expect(verdicts(later)).toEqual(SAFE);
    expect(later.findings[0]!.advice).toMatch(/^No declared consumer is affected/);
  });

  it('a field that would come from its default degrades', async () => {
    const defaulted = { ...FIELDS, email: { field: { type: 'string', default: '' } } };
    const result = await check(files(without('email')), files(defaulted));
    expect(verdicts(result)).toEqual({ ...SAFE, mailer: 'DEGRADED' });
    expect(result.findings.map(({ rule, severity }) => [rule, severity])).toEqual([['consumer-degraded', 'warning']]);
  });

  it('an app that needs a new field cannot be rebuilt from facts that never had it', async () => {
    const result = await check(files({ ...FIELDS, channel: 'string' }, { ...APPS, board: ['channel'] }));
    expect(result.consumers.find(({ app }) => app === 'board')).toMatchObject({ verdict: 'BROKEN' });
    const withDefault = await check(files({ ...FIELDS, channel: { field: { type: 'string', default: 'shop' } } }, { ...APPS, board: ['channel'] }));
    expect(withDefault.findings).toEqual([]);
  });

  it('an alias that could mean two fields is a finding, not the end of the check', async () => {
    const aliased = { ...without('email'), contact: { field: { type: 'string', aliases: ['email', 'orderId'] } } };
    expect(found(await check(files(aliased, { billing: ['total.cents'] }), files(FIELDS, { billing: ['total.cents'] })))).toContain('schema-refused');
  });

  it('a level of NONE lets the change pass, and the app that breaks is still named', async () => {
    const none = { 'schemas/contracts.config.yaml': 'compatibility: NONE\n' };
    const result = await check(files(without('email'), APPS, none));
    expect(found(result)).toEqual(['consumer-broken email']);
    expect(result.findings[0]!.place.file).toBe('apps/mailer/contracts.yaml');
    expect((await check(files(without('note'), APPS, none))).findings).toEqual([]);
  });
});

describe('what a value means', () => {
  const dated = (logicalType: string, more: Fields = {}): Fields => ({ ...FIELDS, paidAt: { type: 'long', logicalType }, ...more });
  it.each<[string, Fields, Fields, string]>([
    ['milliseconds become microseconds', dated('timestamp-millis'), dated('timestamp-micros'), 'logical-type-changed paidAt'],
    ['a decimal is scaled', { ...FIELDS, price: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } }, { ...FIELDS, price: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 3 } }, 'decimal-changed price'],
    ['a unit changes', { ...FIELDS, weight: { field: { type: 'int', unit: 'g' } } }, { ...FIELDS, weight: { field: { type: 'int', unit: 'kg' } } }, 'unit-changed weight'],
    ['a default changes', { ...FIELDS, channel: { field: { type: 'string', default: 'shop' } } }, { ...FIELDS, channel: { field: { type: 'string', default: 'web' } } }, 'default-changed channel'],
    ['an enum loses its default', { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['A'], default: 'A' } }, { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['A'] } }, 'enum-default-removed kind'],
    ['an enum falls back on another symbol', { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['A', 'B'], default: 'A' } }, { ...FIELDS, kind: { type: 'enum', name: 'Kind', symbols: ['A', 'B'], default: 'B' } }, 'default-changed kind'],
    ['an alias goes', { ...FIELDS, channel: { field: { type: 'string', default: '', aliases: ['via'] } } }, { ...FIELDS, channel: { field: { type: 'string', default: '' } } }, 'alias-removed channel'],
    ['a tag goes', { ...FIELDS, phone: { field: { type: 'string', default: '', 'confluent:tags': ['PII'] } } }, { ...FIELDS, phone: { field: { type: 'string', default: '' } } }, 'tag-removed phone'],
    ['nested in a list', { ...FIELDS, days: { type: 'array', items: { type: 'int', logicalType: 'date' } } }, { ...FIELDS, days: { type: 'array', items: 'int' } }, 'logical-type-changed days[]'],
  ])('%s', async (_name, before, now, expected) => {
    expect(found(await check(files(now), files(before)))).toEqual([expected]);
    expect((await check(files(before), files(before))).findings).toEqual([]);
  });

  it('degrades those who select it, and nobody else', async () => {
    const apps = { ...APPS, board: ['paidAt'] };
    const { findings } = await check(files(dated('timestamp-micros'), apps), files(dated('timestamp-millis'), apps));
    expect(findings[0]!.consumers.map(({ app, verdict }) => `${app} ${verdict}`)).toEqual(expect.arrayContaining(['board DEGRADED', 'mailer SAFE']));
  });

  it('the key field and the partitions of a topic', async () => {
    const other = (topic: string) => files(FIELDS, APPS, { 'schemas/shop/topic.yaml': topic });
    expect(found(await check(other('name: shop.order\nowner: shop\nkeyField: email\npartitions: 6\nkind: facts\n')))).toEqual(['key-changed']);
    expect(found(await check(other('name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 12\nkind: facts\n')))).toEqual(['key-changed']);
  });
});

describe('declarations', () => {
  it('a fact that is gone breaks its consumers; a new one is told', async () => {
    const { 'schemas/shop/OrderPlaced.avsc': _gone, ...rest } = files();
    const removed = await check(rest);
    expect(found(removed)).toContain('fact-removed');
    expect(removed.findings.find(({ rule }) => rule === 'fact-removed')!.place).toEqual({ file: 'schemas/shop/OrderPlaced.avsc', line: 1, column: 1 });
    expect(verdicts(removed)).toEqual({ mailer: 'BROKEN', board: 'BROKEN', billing: 'BROKEN', stock: 'BROKEN' });
    const added = await check(files(), {});
    expect(added.findings.map(({ rule, severity }) => [rule, severity])).toEqual([['fact-added', 'info']]);
  });

  it('a selection of what is not declared is a finding, at its line', async () => {
    const misspelt = await check(files(FIELDS, { ...APPS, mailer: ['orderId', 'emial'] }));
    expect(misspelt.findings.map(({ rule, field, place }) => [rule, field, place.file, place.line])).toEqual([['selects-unknown', 'emial', 'apps/mailer/contracts.yaml', 8]]);
    const unknown = files();
    unknown['apps/mailer/contracts.yaml'] = unknown['apps/mailer/contracts.yaml']!.replace('shop.OrderPlaced', 'shop.OrderShipped');
    expect(found(await check(unknown))).toEqual(['selects-unknown']);
    const { 'schemas/shop/topic.yaml': _topic, ...bare } = files();
    const shared = { ...bare, 'schemas/shop/OrderPlaced.avsc': bare['schemas/shop/OrderPlaced.avsc']!.replace('"meta"', '"about"') };
    expect((await check(shared, shared)).findings[0]!.message).toContain("'shop.OrderPlaced' is a type of shop/OrderPlaced.avsc, but no fact");
  });
});

describe('a fact that is gone', () => {
  const registered = async (file?: string): Promise<Base> => {
    const { schema } = (await readLandscape(tree('base', files()), FOLDERS)).schemas.facts.get('shop.OrderPlaced')!;
    return { name: 'registry', landscapes: [], history: { name: 'registry', ...(file !== undefined && { file }), subjects: new Map([['shop.OrderPlaced', { versions: [{ version: 1, id: 1, schema }] }]]) } };
  };
  const gone = () => {
    const { 'schemas/shop/OrderPlaced.avsc': _fact, ...rest } = files();
    return readLandscape(tree('working tree', rest), FOLDERS);
  };

  it.each([
    ['the lock knows it', 'schemas/registry.lock.json', 'schemas/registry.lock.json:1'],
    ['only a registry knows it, and an app consumes it', undefined, 'apps/billing/contracts.yaml:5'],
  ])('is found where %s', async (_what, file, place) => {
    const { findings } = compareContracts(await gone(), [await registered(file)]);
    expect(findings.map(({ rule, place: { file: where, line } }) => [rule, `${where}:${line}`])).toEqual([['fact-removed', place]]);
    expect(findings[0]!.consumers.map(({ verdict }) => verdict)).toEqual(['BROKEN', 'BROKEN', 'BROKEN', 'BROKEN']);
  });
});

describe('many fields in many apps', () => {
  const WIDE = 300;
  const wide = (type: (at: number) => unknown): Fields => Object.fromEntries([['orderId', 'string'], ...Array.from({ length: WIDE }, (_, at) => [`field${at}`, type(at)]).filter(([, each]) => each !== undefined)]) as Fields;
  const apps = Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`app${at}`, Array.from({ length: WIDE }, (_each, field) => `field${field}`)]));

  it.each<[string, (at: number) => unknown, (at: number) => unknown, number]>([
    ['dropped', () => 'string', (at) => (at % 2 === 0 ? 'string' : undefined), WIDE / 2],
    ['given another meaning', () => ({ type: 'long', logicalType: 'timestamp-millis' }), () => ({ type: 'long', logicalType: 'timestamp-micros' }), WIDE],
    ['given another type', () => 'string', () => 'int', WIDE],
  ])('%s are found without comparing each with all', async (_what, was, is, count) => {
    const [now, before] = [await readLandscape(tree('working tree', files(wide(is), apps)), FOLDERS), await readLandscape(tree('base', files(wide(was), apps)), FOLDERS)];
    let findings: Comparison['findings'] = [];
    const searched = searchedBy(() => ({ findings } = compareContracts(now, [{ name: 'base', landscapes: [before] }])));
    expect(findings).toHaveLength(count);
    expect(searched).toBeLessThan(WIDE * 6 * 100); // each finding against each selection would be WIDE * WIDE * 6 at the least, and is more
  });
});
