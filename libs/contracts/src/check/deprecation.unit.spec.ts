import { deprecationFindings } from './deprecation.js';
import type { Finding } from './finding.js';
import { type Landscape, readLandscape, restrictedTo } from './landscape.js';
import { APPS, FIELDS, FOLDERS, type Fields, type Files, files, tree } from './shop.spec.support.js';

const SUNSET = { effective: '2026-11-21', removal: '2027-02-01', alternative: 'contact' };
const BEFORE = '2027-01-31';
const AFTER = '2027-02-01';

const nullable = (more: object = {}) => ({ field: { type: ['null', 'string'], default: null, ...more } });
const MOVING: Fields = { ...FIELDS, email: nullable({ deprecated: SUNSET }), contact: nullable() };
const without = (fields: Fields, ...names: string[]): Fields => Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
const landscape = (content: Files, name = 'base'): Promise<Landscape> => readLandscape(tree(name, content), FOLDERS);

async function findings(now: Files, today: string, ...before: Files[]): Promise<Finding[]> {
  return deprecationFindings(await landscape(now, 'working tree'), await Promise.all(before.map((content, at) => landscape(content, `base ${at + 1}`))), today);
}

const told = (found: readonly Finding[]) => found.map(({ rule, severity, field, place }) => `${severity} ${rule} ${field} ${place.file.split('/').at(1)}:${place.line}`);

describe('who selects what is deprecated', () => {
  it('nobody is told of what nobody selects, nor of what is not deprecated', async () => {
    expect(await findings(files(), AFTER, files())).toEqual([]);
    expect(await findings(files(MOVING, { board: ['orderId', 'contact'] }), AFTER)).toEqual([]);
  });

  it.each([
    ['2026-11-20', 'info'],
    ['2026-11-21', 'warning'],
    [BEFORE, 'warning'],
    [AFTER, 'error'],
  ])('on %s it is: %s, at the line of the selection', async (today, severity) => {
    const found = await findings(files(MOVING), today);
    expect(told(found)).toEqual([`${severity} selects-deprecated email mailer:8`]);
    expect(found[0]!.message).toBe('mailer selects email, which is deprecated since 2026-11-21, to be removed from 2027-02-01 on; use contact instead.');
  });

  it('on the way to it, below it, through lists, and as part of everything', async () => {
    const line = { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string', deprecated: { ...SUNSET, alternative: 'article' } }, { name: 'article', type: 'string' }, { name: 'quantity', type: 'int' }] };
    const fields = { ...FIELDS, lines: { type: 'array', items: line } };
    const found = await findings(files(fields, { stock: ['lines.sku'], count: ['lines.quantity'], all: ['lines'], archive: '*' }), BEFORE);
    expect(told(found)).toEqual(['all:7', 'archive:6', 'stock:7'].map((place) => `warning selects-deprecated lines[].sku ${place}`));
    expect(found[0]!.message).toContain('use lines.article instead');
    const whole = { ...FIELDS, lines: { field: { type: { type: 'array', items: line }, deprecated: { effective: '2026-11-21', removal: '2027-02-01' } } } };
    expect(told(await findings(files(whole, { count: ['lines.quantity'] }), BEFORE))).toEqual(['warning selects-deprecated lines count:7']);
  });

  it('a fact, at the line of its name', async () => {
    const content = files();
    content['schemas/shop/OrderPlaced.avsc'] = content['schemas/shop/OrderPlaced.avsc']!.replace('"fields"', '"deprecated": {"effective": "2026-11-21", "removal": "2027-02-01", "alternative": "shop.OrderBooked"}, "fields"');
    content['schemas/shop/OrderBooked.avsc'] = '{"type": "record", "name": "OrderBooked", "namespace": "shop", "fields": [{"name": "meta", "type": "factline.Meta"}, {"name": "orderId", "type": "string"}]}';
    const found = await findings(content, BEFORE);
    expect(told(found)).toEqual(['billing', 'board', 'mailer', 'stock'].map((app) => `warning selects-deprecated  ${app}:5`));
    expect(found[0]!.message).toMatch(/^billing reads the fact, .*use shop.OrderBooked instead\.$/);
  });

  it('a type that contains itself comes to an end', async () => {
    const part = { type: 'record', name: 'Part', fields: [{ name: 'old', type: 'string', deprecated: { ...SUNSET, alternative: 'now' } }, { name: 'now', type: 'string' }, { name: 'parts', type: { type: 'array', items: 'Part' } }] };
    expect(told(await findings(files({ ...FIELDS, part }, { all: ['part'], deep: ['part.parts.parts.old'] }), BEFORE))).toEqual([
      'warning selects-deprecated part.old all:7',
      'warning selects-deprecated part.parts[].parts[].old deep:7',
    ]);
  });
});

describe('annotations', () => {
  it.each<[string, object, string]>([
    ['a day that does not exist', { ...SUNSET, removal: '2027-02-29' }, 'removal must be a day'],
    ['a time', { ...SUNSET, effective: '2026-11-21T00:00:00Z' }, 'effective must be a day'],
    ['a date in another order', { ...SUNSET, removal: '01.02.2027' }, 'removal must be a day'],
    ['a removal on the first day', { ...SUNSET, removal: '2026-11-21' }, 'must be after effective'],
    ['no removal', { effective: '2026-11-21' }, 'removal must be a day'],
    ['a misspelt key', { ...SUNSET, alternativ: 'contact' }, "Did you mean 'alternative'?"],
    ['an alternative that is not there', { ...SUNSET, alternative: 'contacts' }, "'contacts' is none"],
    ['itself as alternative', { ...SUNSET, alternative: 'email' }, "'email' is none"],
    ['meta as alternative', { ...SUNSET, alternative: 'meta.actor' }, "'meta.actor' is none"],
    ['a text', 'soon' as unknown as object, 'must be an object'],
  ])('%s', async (_name, deprecated, message) => {
    const found = await findings(files({ ...MOVING, email: nullable({ deprecated }) }, {}), BEFORE);
    expect(told(found)).toEqual(['error deprecation-invalid email shop:5']);
    expect(found[0]!.message).toContain(message);
  });

  it('all at once, each at its own value', async () => {
    const found = await findings(files({ ...MOVING, email: nullable({ deprecated: { effective: 'now', removal: 'then' } }), note: nullable({ deprecated: { ...SUNSET, alternative: 'memo' } }) }, {}), BEFORE);
    expect(found.map(({ field, message }) => `${field} ${message.split(' ')[0]}`)).toEqual(['email effective', 'email removal', 'note The']);
    const [first, second] = found;
    expect(second!.place.line).toBe(first!.place.line);
    expect(second!.place.column).toBeGreaterThan(first!.place.column);
  });

  it('the key of the topic, the metadata and unknown facts', async () => {
    const content = files({ ...FIELDS, orderId: { field: { type: 'string', deprecated: SUNSET } } });
    content['schemas/shop/OrderPlaced.avsc'] = content['schemas/shop/OrderPlaced.avsc']!.replace('"fields"', '"deprecated": {"effective": "2026-11-21", "removal": "2027-02-01", "alternative": "shop.OrderBookd"}, "fields"');
    const found = (await findings(content, BEFORE)).filter(({ rule }) => rule === 'deprecation-invalid');
    expect(found.map(({ field, message }) => [field, message])).toEqual([
      ['', "The alternative must be another fact, and 'shop.OrderBookd' is none."],
      ['orderId', 'orderId cannot be deprecated: it is the key of the topic shop.order.'],
    ]);
  });
});

describe('removals', () => {
  const moved = { ...APPS, mailer: ['orderId', 'contact'] };
  const gone = without(MOVING, 'email');

  it('on the day, selected by nobody now and before: nothing is said', async () => {
    expect(await findings(files(gone, moved), AFTER, files(MOVING, moved))).toEqual([]);
  });

  it('a day too early', async () => {
    const found = await findings(files(gone, moved), BEFORE, files(MOVING, moved));
    expect(told(found)).toEqual(['error removed-before-sunset email shop:2']);
    expect(found[0]).toMatchObject({ message: 'It is gone, and was to stay until 2027-02-01.', against: ['base 1'], consumers: [] });
  });

  it('while an app selects it now, or did at a base', async () => {
    const now = await findings(files(gone), AFTER, files(MOVING));
    expect(told(now)).toEqual(['error removed-while-selected email shop:2']);
    expect(now[0]!.consumers).toMatchObject([{ app: 'mailer', verdict: 'DEGRADED', place: { file: 'apps/mailer/contracts.yaml', line: 8 } }]);
    expect(now[0]!.consumers[0]).not.toHaveProperty('tree');
    const before = await findings(files(gone, moved), AFTER, files(MOVING, moved), files(MOVING));
    expect(before[0]!.consumers).toMatchObject([{ app: 'mailer', tree: 'base 2' }]);
  });

  it('while a deployed app selects it: of other apps a deployed commit says nothing', async () => {
    const deployed = await landscape(files(MOVING), 'prod');
    const now = await landscape(files(gone, moved));
    const judged = (...apps: string[]) => deprecationFindings(now, [restrictedTo(deployed, 'prod 4f1c2a9', new Set(['shop', ...apps]))], AFTER).map(({ rule }) => rule);
    expect(judged('mailer')).toEqual(['removed-while-selected']);
    expect(judged('board')).toEqual([]);
  });

  it('the latest date of all bases counts', async () => {
    const later = { ...MOVING, email: nullable({ deprecated: { ...SUNSET, removal: '2027-03-01' } }) };
    const found = await findings(files(gone, moved), AFTER, files(MOVING, moved), files(later, moved), files({ ...MOVING, email: nullable() }, moved));
    expect(found.map(({ rule, message, against }) => [rule, message, against])).toEqual([['removed-before-sunset', 'It is gone, and was to stay until 2027-03-01.', ['base 1', 'base 2', 'base 3']]]);
  });

  it('never announced: a warning where the wire allows it, and nothing where another rule says it', async () => {
    const plainFields = { ...FIELDS, channel: nullable() };
    expect(told(await findings(files(), AFTER, files(plainFields)))).toEqual(['warning removed-without-deprecation channel shop:2']);
    expect(await findings(files(without(FIELDS, 'email')), AFTER, files())).toEqual([]); // field-removed: it has no default
    const backward = { 'schemas/contracts.config.yaml': 'compatibility: BACKWARD\n' };
    expect(told(await findings(files(without(FIELDS, 'email'), APPS, backward), AFTER, files()))).toEqual(['warning removed-without-deprecation email shop:2']);
  });

  it('a field that is found by an alias was renamed', async () => {
    const aliased = { ...without(FIELDS, 'note'), memo: nullable({ aliases: ['note'] }) };
    expect(await findings(files(aliased), AFTER, files({ ...FIELDS, note: nullable() }))).toEqual([]);
    const dated = { ...FIELDS, note: nullable({ deprecated: { effective: '2026-11-21', removal: '2027-02-01' } }) };
    expect(told(await findings(files(aliased), BEFORE, files(dated)))).toEqual(['error removed-before-sunset note shop:2']);
  });

  it('below a deprecated field, and a fact as a whole', async () => {
    const total = { type: 'record', name: 'Money', fields: [{ name: 'cents', type: 'long', default: 0 }, { name: 'currency', type: 'string' }] };
    const dated = { ...FIELDS, total: { field: { type: total, deprecated: { effective: '2026-11-21', removal: '2027-02-01' } } } };
    const shrunk = { ...FIELDS, total: { field: { type: { ...total, fields: total.fields.slice(1) }, deprecated: dated.total.field.deprecated } } };
    const apps = { board: ['orderId'] };
    expect(told(await findings(files(shrunk, apps), BEFORE, files(dated, apps)))).toEqual(['error removed-before-sunset total.cents shop:7']);
    expect(await findings(files(shrunk, apps), AFTER, files(dated, apps))).toEqual([]);
    const { 'schemas/shop/OrderPlaced.avsc': text, ...rest } = files(FIELDS, apps);
    const fact = { ...rest, 'schemas/shop/OrderPlaced.avsc': text!.replace('"fields"', '"deprecated": {"effective": "2026-11-21", "removal": "2027-02-01"}, "fields"') };
    expect(told(await findings(rest, BEFORE, fact))).toEqual(['error removed-before-sunset  shop:1']);
  });
});

it('takes time linear in a type that is shared at every level, and in selections', async () => {
  const depth = 40;
  const levels = Array.from({ length: depth }, (_, at) => ({
    type: 'record',
    name: `L${at}`,
    namespace: 'shop',
    fields: at === 0 ? [{ name: 'old', type: 'string', deprecated: { effective: '2026-11-21', removal: '2027-02-01' } }] : [{ name: 'a', type: `shop.L${at - 1}` }, { name: 'b', type: `shop.L${at - 1}` }],
  }));
  const content = files({ ...FIELDS, top: `shop.L${depth - 1}` }, { archive: '*' }, Object.fromEntries(levels.map((level) => [`schemas/types/${level.name}.avsc`, JSON.stringify(level)])));
  const found = await findings(content, BEFORE, content);
  expect(found).toHaveLength(1); // of the 2^39 paths to it, the first
  expect(found[0]!.field).toBe(`top.${'a.'.repeat(depth - 1)}old`);
});
