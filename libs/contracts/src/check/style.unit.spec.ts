import { checkedType } from '../checked-types.js';
import type { Finding } from './finding.js';
import { readLandscape } from './landscape.js';
import { STYLE_RULES } from './rules/style.js';
import { styleFindings } from './style.js';

type Json = Record<string, unknown>;
type Files = Record<string, unknown>;

const ORDER = 'schemas/shop/order/OrderPlaced.avsc';
const field = (name: string, type: unknown, more: Json = {}): Json => ({ name, doc: 'Said.', type, ...more });
const record = (name: string, fields: readonly Json[], more: Json = {}): Json => ({ type: 'record', name, namespace: 'shop', doc: 'Said.', fields, ...more });
const fact = (name: string, fields: readonly Json[] = [], more: Json = {}): Json => record(name, [{ name: 'meta', type: 'factline.Meta' }, field('orderId', 'string'), ...fields], more);
const topic = (kind = 'facts') => `name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: ${kind}\n`;
const contract = (select: string) => `app: board\nowner: people\nconsumes:\n  - fact: shop.OrderPlaced\n    purpose: testing\n${select}`;
const enumOf = (name: string, more: Json = {}): Json => ({ type: 'enum', name, doc: 'Said.', symbols: ['A', 'B'], ...more });

/** As a file is written by hand: a field, a symbol list, a bracket a line. */
const written = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content, null, 2));

/** The findings of a small repository; a file that is given replaces or adds to those that break no rule. */
async function findings(given: Files): Promise<readonly Finding[]> {
  const files: Files = { 'schemas/shop/order/topic.yaml': topic(), [ORDER]: fact('OrderPlaced'), ...given };
  const list = async (folder: string) => Object.keys(files).filter((file) => file.startsWith(`${folder}/`)).toSorted();
  const tree = { name: 'working tree', list, read: async (file: string) => written(files[file]) };
  return styleFindings(await readLandscape(tree, { schemas: 'schemas', apps: 'apps' }));
}

/** The same, a line each. */
async function style(given: Files): Promise<string[]> {
  return (await findings(given)).map(({ rule, severity, fact: name, field: path, place }) => `${severity} ${rule} ${name}${path ? `.${path}` : ''} ${place.file}:${place.line}`);
}

const ordered = (...fields: readonly Json[]): Files => ({ [ORDER]: fact('OrderPlaced', fields) });
const stated = (name: string, more: Json = {}): Files => ({ [`schemas/shop/order/${name}.avsc`]: fact(name, [], more) });

it('a repository that keeps the rules hears nothing', async () => {
  expect(await style({})).toEqual([]);
});

describe('each rule has something to say, and not of what comes close', () => {
  it.each<[keyof typeof STYLE_RULES, string, Files, string, Files]>([
    ['namespace-matches-path', 'another context', stated('OrderPaid', { namespace: 'billing' }), 'billing.OrderPaid schemas/shop/order/OrderPaid.avsc:4', stated('OrderPaid', { namespace: 'shop.order' })],
    ['namespace-matches-path', 'half a folder', stated('OrderPaid', { namespace: 'shop.ord' }), 'shop.ord.OrderPaid schemas/shop/order/OrderPaid.avsc:4', { 'schemas/Shop-Floor/X.avsc': record('X', [], { namespace: 'shopFloor' }) }],
    ['namespace-matches-path', 'a type inside', ordered(field('of', enumOf('Kind', { namespace: 'crm', default: 'A' }))), 'shop.OrderPlaced.of schemas/shop/order/OrderPlaced.avsc:27', ordered(field('of', enumOf('Kind', { default: 'A' })))],
    ['fact-name-past-tense', 'a thing', stated('OrderSpeed'), 'shop.OrderSpeed schemas/shop/order/OrderSpeed.avsc:3', stated('OrderFreed')],
    ['fact-name-past-tense', 'a wish', stated('PlaceOrder'), 'shop.PlaceOrder schemas/shop/order/PlaceOrder.avsc:3', { 'schemas/shop/order/topic.yaml': topic('commands'), ...stated('PlaceOrder') }],
    ['fact-name-past-tense', 'an adjective', stated('PaidOrder'), 'shop.PaidOrder schemas/shop/order/PaidOrder.avsc:3', { 'schemas/shop/Price.avsc': record('Price', []) }],
    ['field-name-lower-camel', 'snakes', ordered(field('ship_to', 'string')), 'shop.OrderPlaced.ship_to schemas/shop/order/OrderPlaced.avsc:16', ordered(field('shipTo2', 'string'))],
    ['field-name-lower-camel', 'capitals', ordered(field('ShipTo', 'string')), 'shop.OrderPlaced.ShipTo schemas/shop/order/OrderPlaced.avsc:16', ordered(field('vatID', 'string'))],
    ['doc-required', 'a fact', { [ORDER]: fact('OrderPlaced', [], { doc: ' ' }) }, 'shop.OrderPlaced schemas/shop/order/OrderPlaced.avsc:1', { [ORDER]: fact('OrderPlaced', [], { doc: 'x' }) }],
    ['doc-required', 'a field', ordered({ name: 'note', type: 'string' }), 'shop.OrderPlaced.note schemas/shop/order/OrderPlaced.avsc:16', ordered(field('note', 'string', { doc: 'x' }))],
    ['doc-required', 'an enum', ordered(field('kind', { ...enumOf('Kind'), doc: undefined, default: 'A' })), 'shop.OrderPlaced.kind schemas/shop/order/OrderPlaced.avsc:19', ordered(field('kind', { type: 'fixed', name: 'Kind', size: 2 }))],
    ['null-first-with-null-default', 'no default', ordered(field('note', ['null', 'string'])), 'shop.OrderPlaced.note schemas/shop/order/OrderPlaced.avsc:16', ordered(field('note', ['null', 'string'], { default: null }))],
    ['null-first-with-null-default', 'null second', ordered(field('note', ['string', 'null'])), 'shop.OrderPlaced.note schemas/shop/order/OrderPlaced.avsc:16', ordered(field('note', ['string', 'null'], { default: '' }))],
    ['null-first-with-null-default', 'an object as null', ordered(field('note', [{ type: 'null' }, 'string'])), 'shop.OrderPlaced.note schemas/shop/order/OrderPlaced.avsc:16', ordered(field('notes', { type: 'array', items: ['null', 'string'] }))],
    ['money-as-float', 'a price', ordered(field('price', 'double')), 'shop.OrderPlaced.price schemas/shop/order/OrderPlaced.avsc:16', ordered(field('price', 'long'))],
    ['money-as-float', 'many, and perhaps none', ordered(field('taxes', ['null', { type: 'map', values: { type: 'array', items: { type: 'float' } } }], { default: null })), 'shop.OrderPlaced.taxes schemas/shop/order/OrderPlaced.avsc:16', ordered(field('taxRates', { type: 'array', items: 'float' }))],
    ['money-as-float', 'a total', ordered(field('totalNet', 'float')), 'shop.OrderPlaced.totalNet schemas/shop/order/OrderPlaced.avsc:16', ordered(field('totalWeight', 'float'))],
    ['time-as-string', 'a moment', ordered(field('paidAt', 'string')), 'shop.OrderPlaced.paidAt schemas/shop/order/OrderPlaced.avsc:16', ordered(field('paidAt', { type: 'long', logicalType: 'timestamp-micros' }))],
    ['time-as-string', 'a day', ordered(field('dueOn', ['null', 'string'], { default: null })), 'shop.OrderPlaced.dueOn schemas/shop/order/OrderPlaced.avsc:16', ordered(field('dependsOn', 'string'))],
    ['time-as-string', 'a date', ordered(field('birthDate', { type: 'string' })), 'shop.OrderPlaced.birthDate schemas/shop/order/OrderPlaced.avsc:16', ordered(field('birthDate', { type: 'string', logicalType: 'iso-date' }), field('update', 'string'), field('dateFormat', 'string'))],
    ['enum-without-default', 'only the field has one', ordered(field('kind', enumOf('Kind'), { default: 'A' })), 'shop.OrderPlaced.kind schemas/shop/order/OrderPlaced.avsc:19', ordered(field('kind', enumOf('Kind', { default: 'A' })))],
    ['long-needs-bigint', 'nanoseconds', ordered(field('seen', { type: 'long', logicalType: 'timestamp-nanos' })), 'shop.OrderPlaced.seen schemas/shop/order/OrderPlaced.avsc:16', ordered(field('seen', { type: 'long', logicalType: 'timestamp-micros' }))],
    ['long-needs-bigint', 'of a place, or none', ordered(field('seen', ['null', { type: 'long', logicalType: 'local-timestamp-nanos' }], { default: null })), 'shop.OrderPlaced.seen schemas/shop/order/OrderPlaced.avsc:16', ordered(field('tookNanos', 'long'))],
    ['wildcard-select', 'everything', { 'apps/board/contracts.yaml': contract("    select: '*'\n    reason: An archive.\n") }, 'shop.OrderPlaced apps/board/contracts.yaml:6', { 'apps/board/contracts.yaml': contract('    select: [orderId]\n') }],
    [
      'exception-unused',
      'a field that keeps the rule',
      { 'schemas/contracts.config.yaml': 'ignore:\n  - {rule: doc-required, fact: shop.OrderPlaced, field: orderId, reason: r}\n' },
      'shop.OrderPlaced.orderId schemas/contracts.config.yaml:2',
      { 'schemas/contracts.config.yaml': 'ignore:\n  - {rule: doc-required, fact: shop.OrderPlaced, field: orderId, reason: r}\n', [ORDER]: written(fact('OrderPlaced')).replaceAll(/\s+"doc": "Said.",(?=\s+"type": "string")/g, '') },
    ],
  ])('%s: %s', async (rule, _what, fires, place, close) => {
    expect(await style(fires)).toEqual([`${STYLE_RULES[rule].severity} ${rule} ${place}`]);
    expect(await style(close)).toEqual([]);
  });
});

describe('the past tense', () => {
  const names = (all: string) => all.trim().split(/\s+/);
  const fires = async (name: string) => (await style(stated(name))).length > 0;

  it.each(names(`
    OrderPlaced InvoicePaid MailSent HouseSold TrialBegun GameWon TeamLeft PartyMet TokenResent IndexRebuilt BillUnpaid AccountOverdrawn OfferWithdrawn UserLoggedIn UserSignedUp KYCPassed
    PaymentFailedTwice ContractAgreed SeatFreed DetailsChanged OrderPlacedV2 PasswordReset GuestCheckedOut LoanDefaulted Made Shipped order_placed MoneySpent ParcelLost RateCut StoryTold ReportWritten
  `))('%s happened', async (name) => {
    expect(await fires(name)).toBe(false);
  });

  it.each(names('Order PlaceOrder OrderEvent NewsFeed OrderSpeed HotelBed PriceHundred CreatedOrder OrderPlacing OrderShipment MailSend'))('%s did not', async (name) => {
    expect(await fires(name)).toBe(true);
  });
});

describe('names of money and of time', () => {
  const said = async (name: string, type: string) => (await style(ordered(field(name, type)))).map((each) => each.split(' ')[1]);

  it.each(['price', 'unitPrices', 'salary', 'energyPrice', 'totalEnergyCost', 'feePerHour', 'totalAmount', 'amountEur', 'balance', 'taxes', 'discount'])('a double %s is money', async (name) => {
    expect(await said(name, 'double')).toEqual(['money-as-float']);
  });

  it.each(['taxRate', 'priceIndex', 'discountPercent', 'totalDiscountPercent', 'totalWeight', 'weightTotal', 'energyBalance', 'quantityPerPrice', 'temperature', 'costFactor', 'priced'])('a double %s is none', async (name) => {
    expect(await said(name, 'double')).toEqual([]);
  });

  it.each(['createdAt', 'startedOn', 'expiresAt', 'dueOn', 'sentAt', 'birthDate', 'dateOfBirth', 'deliveryTime', 'timestamp', 'date'])('a string %s is a time', async (name) => {
    expect(await said(name, 'string')).toEqual(['time-as-string']);
  });

  it.each(['dependsOn', 'basedOn', 'locatedAt', 'lookAt', 'season', 'format', 'at', 'on', 'update', 'candidate', 'timeZone', 'dateFormat', 'overtime'])('a string %s is none', async (name) => {
    expect(await said(name, 'string')).toEqual([]);
  });
});

describe('where a fault is said', () => {
  it('all at once: in a type inside another one by the way to it, at its own line', async () => {
    const line = record('Line', [field('unit_price', 'double'), { name: 'sku', type: 'string' }], { doc: undefined });
    expect(await style(ordered(field('lines', { type: 'array', items: line }), field('byDay', { type: 'map', values: ['null', enumOf('Day')] })))).toEqual([
      'warning doc-required shop.OrderPlaced.lines[] schemas/shop/order/OrderPlaced.avsc:21',
      'warning enum-without-default shop.OrderPlaced.byDay{} schemas/shop/order/OrderPlaced.avsc:46',
      'warning field-name-lower-camel shop.OrderPlaced.lines[].unit_price schemas/shop/order/OrderPlaced.avsc:26',
      'warning money-as-float shop.OrderPlaced.lines[].unit_price schemas/shop/order/OrderPlaced.avsc:26',
      'warning doc-required shop.OrderPlaced.lines[].sku schemas/shop/order/OrderPlaced.avsc:31',
    ]);
  });

  it('once for a shared type, by its own name, however often and however deep it is shared', async () => {
    const depth = 40; // 2^40 ways lead to the last one
    const shared = Array.from({ length: depth }, (_each, at) => {
      const next = at + 1 < depth ? [field('a', `Part${at + 1}`), field('b', `Part${at + 1}`)] : [];
      return [`schemas/shop/part/Part${at}.avsc`, record(`Part${at}`, [...next, { name: 'free', type: 'string' }])] as const;
    });
    const found = await style({ ...Object.fromEntries(shared), ...ordered(field('first', 'Part0'), field('again', { type: 'array', items: 'shop.Part0' })) });
    expect(found.toSorted()).toEqual(shared.map(([file], at) => `warning doc-required shop.Part${at}.free ${file}:${at + 1 < depth ? 17 : 7}`).toSorted());
  });

  it('with the reason that an app gives for reading everything, and what to do instead', async () => {
    const [found] = await findings({ 'apps/board/contracts.yaml': contract("    select: '*'\n    reason: An archive.\n") });
    expect(found).toMatchObject({ message: 'board selects every field, also those to come. Its reason: An archive.', advice: STYLE_RULES['wildcard-select'].instead, against: [], consumers: [] });
  });

  it('comes to an end in a type that contains itself', async () => {
    const node = record('Node', [field('next', ['null', 'Node']), field('all', { type: 'array', items: 'shop.Node' })]);
    expect(await style({ 'schemas/shop/Node.avsc': node, ...ordered(field('tree', 'Node')) })).toEqual(['warning null-first-with-null-default shop.Node.next schemas/shop/Node.avsc:7']);
  });

  it("not of factline.Meta, which is the product's, whether it is a file here, written in a fact or built in", async () => {
    const meta = { type: 'record', name: 'Meta', namespace: 'factline', fields: [{ name: 'Sent_at', type: 'string' }] };
    expect(await style({ 'schemas/shop/Meta.avsc': meta })).toEqual([]);
    expect(await style({ [ORDER]: record('OrderPlaced', [{ name: 'meta', type: meta }, field('orderId', 'string')]) })).toEqual([]);
    expect(await style({ 'schemas/shop/Meta.avsc': { ...meta, name: 'Head' } })).toHaveLength(5);
  });
});

describe('levels and exceptions', () => {
  const settings = (text: string): Files => ({ 'schemas/contracts.config.yaml': text });
  const faulty = ordered(field('unit_price', 'double'), field('gross', record('Gross', [field('net_price', 'double')])));
  const ALL = ['field-name-lower-camel unit_price', 'money-as-float unit_price', 'field-name-lower-camel gross.net_price', 'money-as-float gross.net_price'];
  const told = async (text: string) => (await style({ ...faulty, ...settings(text) })).map((each) => each.replace(/^\w+ (\S+) shop\.OrderPlaced\.?(\S*) .*$/, '$1 $2'));
  const except = (rule: string, more: string) => `ignore: [{rule: ${rule}, fact: shop.OrderPlaced, ${more}reason: the till of 2019 writes it so}]`;

  it.each([
    ['nothing said', 'style: {}', ALL],
    ['a rule that is off', 'style: {field-name-lower-camel: off}', ALL.filter((each) => each.startsWith('money'))],
    ['an exception for one field', except('money-as-float', 'field: unit_price, '), ALL.filter((each) => each !== 'money-as-float unit_price')],
    ['an exception for what lies in a field', except('money-as-float', 'field: gross, '), ALL.filter((each) => each !== 'money-as-float gross.net_price')],
    ['an exception for a type', except('money-as-float', ''), ALL.filter((each) => each.startsWith('field'))],
    ['an exception for a part of a name', except('money-as-float', 'field: unit, '), [...ALL, 'exception-unused unit']],
    ['an exception from a rule that is off is used', `style: {money-as-float: off}\n${except('money-as-float', '')}`, ALL.filter((each) => each.startsWith('field'))],
    ['an unused exception from nothing to say about it', `style: {exception-unused: off}\n${except('doc-required', '')}`, ALL],
  ])('%s', async (_what, text, expected) => {
    expect(await told(text)).toEqual(expected);
  });

  it('a level is that of the finding', async () => {
    const found = await style({ ...ordered(field('price', 'float')), ...settings('style: {money-as-float: error}') });
    expect(found).toEqual(['error money-as-float shop.OrderPlaced.price schemas/shop/order/OrderPlaced.avsc:16']);
  });
});

describe('there is no rule', () => {
  it.each<[string, Json]>([
    ['two records in a union', field('either', [record('A', []), record('B', [])])],
    ['a null that is not first with null as its default', field('note', ['string', 'null'], { default: null })],
  ])('for what is refused when it is read: %s', async (_what, refused) => {
    await expect(style(ordered(refused))).rejects.toMatchObject({ code: 'schema.invalid', details: { file: 'shop/order/OrderPlaced.avsc' } });
  });

  it.each<[string, Json, unknown]>([
    ['timestamp-micros', { type: 'long' }, 1_700_000_000_000_000],
    ['date', { type: 'int' }, 20_000],
    ['uuid', { type: 'string' }, 'a9b1'],
    ['decimal', { type: 'bytes', precision: 4, scale: 2 }, Buffer.from([1, 2])],
    ['duration', { type: 'fixed', name: 'Span', size: 12 }, Buffer.alloc(12, 7)],
  ])('against null beside a %s: it is read as it was written', (logicalType, schema, value) => {
    const type = checkedType(record('Made', [field('each', ['null', { ...schema, logicalType }], { default: null })]));
    const read = (each: unknown): unknown => (type.fromBuffer(type.toBuffer({ each })) as { each: unknown }).each;
    expect([read(null), read(value)]).toEqual([null, value]);
  });
});
