import type { Finding } from './finding.js';
import { grantFindings } from './grants.js';
import { type Landscape, readLandscape } from './landscape.js';
import { FOLDERS, type Files, tree } from './shop.spec.support.js';

type Field = Record<string, unknown> & { name: string };

const TAGS = 'confluent:tags';
const pii = (field: Field, ...tags: string[]): Field => ({ ...field, [TAGS]: tags.length > 0 ? tags : ['PII'] });
const text = (name: string): Field => ({ name, type: 'string' });
const record = (name: string, ...fields: Field[]) => ({ type: 'record', name, fields });

const contact = record('Contact', pii(text('email'), 'PII.email'), text('language'), { name: 'other', type: ['null', 'Contact'] });
const FIELDS: Field[] = [
  text('orderId'),
  pii(text('name')),
  { name: 'contact', type: contact },
  { name: 'contacts', type: { type: 'array', items: 'Contact' } },
  { name: 'byRole', type: ['null', { type: 'map', values: 'Contact' }] },
  pii({ name: 'address', type: record('Address', text('street'), text('city')) }),
  { name: 'gift', type: { ...record('Gift', text('wish')), [TAGS]: ['SECRET'] } },
];

/** An app by its name: what it selects, and what it is granted. */
type Apps = Record<string, { select: readonly string[] | '*'; grants?: readonly string[] }>;

async function landscape(apps: Apps, fields: readonly Field[] = FIELDS, name = 'working tree'): Promise<Landscape> {
  const schema = { type: 'record', name: 'OrderPlaced', namespace: 'shop', fields: [{ name: 'meta', type: 'factline.Meta' }, ...fields] };
  const files: Files = {
    'schemas/shop/topic.yaml': 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\n',
    'schemas/shop/OrderPlaced.avsc': `{\n"type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [\n${schema.fields.map((field) => JSON.stringify(field)).join(',\n')}\n]}\n`,
  };
  for (const [app, { select, grants }] of Object.entries(apps)) {
    const selected = select === '*' ? '\n    select: "*"\n    reason: an archive' : `\n    select:\n${select.map((field) => `      - ${field}`).join('\n')}`;
    files[`apps/${app}/contracts.yaml`] = `app: ${app}\nowner: people\nconsumes:\n  - fact: shop.OrderPlaced${selected}\n    purpose: testing\n${grants ? `    grants:\n${grants.map((tag) => `      - ${tag}`).join('\n')}\n` : ''}`;
  }
  return readLandscape(tree(name, files), FOLDERS);
}

const found = (findings: readonly Finding[]) => findings.map(({ rule, field, place }) => `${rule} ${field} ${place.file}:${place.line}`);

async function missing(select: readonly string[] | '*', grants: readonly string[] = []): Promise<string[]> {
  const findings = grantFindings(await landscape({ mailer: { select, grants } }), []);
  return findings.map(({ rule, field, message }) => `${rule} ${field}: ${message}`);
}

describe('a tag that is not granted', () => {
  it('is an error at the selection, and names app, field and tag', async () => {
    const [finding, ...rest] = grantFindings(await landscape({ mailer: { select: ['orderId', 'name'] }, board: { select: ['orderId'] } }), []);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ rule: 'tag-not-granted', severity: 'error', fact: 'shop.OrderPlaced', field: 'name', place: { file: 'apps/mailer/contracts.yaml', line: 7, column: 9 }, against: [] });
    expect(finding!.message).toBe('mailer selects name, which is tagged PII, and has no grant for it.');
    expect(finding!.consumers.map(({ app, verdict, place }) => `${app} ${verdict} ${place.line}`)).toEqual(['mailer DEGRADED 7', 'board SAFE 4']);
  });

  it.each<[string, string, string]>([
    ['a field', 'name', 'mailer selects name, which is tagged PII, and has no grant for it.'],
    ['a part of a tagged record', 'address.city', 'mailer selects address.city, and with it address, tagged PII, and has no grant for it.'],
    ['a record with a tagged field, which holds itself', 'contact', 'mailer selects contact, and with it contact.email, tagged PII.email, and has no grant for it.'],
    ['elements of an array', 'contacts', 'mailer selects contacts, and with it contacts[].email, tagged PII.email, and has no grant for it.'],
    ['a field of the elements of an array', 'contacts.email', 'mailer selects contacts.email, and with it contacts[].email, tagged PII.email, and has no grant for it.'],
    ['values of a map that may be null', 'byRole', 'mailer selects byRole, and with it byRole{}.email, tagged PII.email, and has no grant for it.'],
    ['a field behind a recursion', 'contact.other.email', 'mailer selects contact.other.email, which is tagged PII.email, and has no grant for it.'],
    ['a type that is tagged itself', 'gift.wish', 'mailer selects gift.wish, and with it gift, tagged SECRET, and has no grant for it.'],
  ])('on %s', async (_name, field, message) => {
    expect(await missing([field])).toEqual([`tag-not-granted ${field}: ${message}`]);
  });

  it.each([['contact.language'], ['contacts.language'], ['byRole.language'], ['contact.other.language'], ['orderId']])('close by, and not on %s', async (field) => {
    expect(await missing([field])).toEqual([]);
  });

  it("is found behind '*', field by field", async () => {
    expect((await missing('*')).map((line) => line.split(':')[0])).toEqual(['name', 'contact', 'contacts', 'byRole', 'address', 'gift'].map((field) => `tag-not-granted ${field}`));
    expect(await missing('*', ['PII', 'SECRET'])).toEqual([]);
  });

  it('is granted with the tag or one above it, not with one below or beside it', async () => {
    expect(await missing(['contact'], ['PII.email'])).toEqual([]);
    expect(await missing(['contact'], ['PII'])).toEqual([]);
    expect((await missing(['contact'], ['PII.email.work'])).map((line) => line.split(' ')[0])).toEqual(['tag-not-granted', 'grant-unused']);
    expect((await missing(['contact'], ['PI'])).map((line) => line.split(' ')[0])).toEqual(['tag-not-granted', 'grant-unused']);
    expect((await missing(['name'], ['PII.email'])).map((line) => line.split(' ')[0])).toEqual(['tag-not-granted', 'grant-unused']);
  });

  it('names five fields, and counts the rest', async () => {
    const many = record('Many', ...Array.from({ length: 7 }, (_, at) => pii(text(`f${at}`))));
    const [finding] = grantFindings(await landscape({ mailer: { select: ['many'] } }, [text('orderId'), { name: 'many', type: many }]), []);
    expect(finding!.message).toContain('many.f0, many.f1, many.f2, many.f3, many.f4 and 2 more, tagged PII');
  });
});

describe('a tag that is new on a field that is selected', () => {
  const untagged = FIELDS.map(({ [TAGS]: _dropped, ...field }) => field as Field);
  const apps: Apps = { mailer: { select: ['name'] }, board: { select: ['name', 'orderId'] }, billing: { select: ['orderId'] }, print: { select: ['name'], grants: ['PII'] } };

  it('stands at the field, once for all apps', async () => {
    const findings = grantFindings(await landscape(apps), [await landscape(apps, untagged, 'base')]);
    expect(found(findings)).toEqual(['tag-not-granted name schemas/shop/OrderPlaced.avsc:5']);
    expect(findings[0]).toMatchObject({ severity: 'error', against: ['base'], message: 'The tag PII is new, and board, mailer read the field without a grant for it.' });
    expect(findings[0]!.consumers.map(({ app, verdict, place }) => `${app} ${verdict} ${place.file}:${place.line}`)).toEqual([
      'board DEGRADED apps/board/contracts.yaml:6',
      'mailer DEGRADED apps/mailer/contracts.yaml:6',
      'billing SAFE apps/billing/contracts.yaml:4',
      'print SAFE apps/print/contracts.yaml:4',
    ]);
  });

  it('control: a tag that was there is not new, and neither is one on a field that is selected from now on', async () => {
    expect(found(grantFindings(await landscape(apps), [await landscape(apps)]))).toEqual(['tag-not-granted name apps/board/contracts.yaml:6', 'tag-not-granted name apps/mailer/contracts.yaml:6']);
    const before = await landscape({ ...apps, mailer: { select: ['orderId'] } }, untagged, 'base');
    expect(found(grantFindings(await landscape(apps), [before]))).toEqual(['tag-not-granted name schemas/shop/OrderPlaced.avsc:5', 'tag-not-granted name apps/mailer/contracts.yaml:6']);
  });

  it('is new when any base lacks it, and the finding says which', async () => {
    const [finding] = grantFindings(await landscape(apps), [await landscape(apps, FIELDS, 'main'), await landscape(apps, untagged, 'prod')]);
    expect(finding).toMatchObject({ against: ['prod'], place: { file: 'schemas/shop/OrderPlaced.avsc' } });
  });
});

describe('a grant', () => {
  it('that nothing needs is a warning at its line', async () => {
    const findings = grantFindings(await landscape({ mailer: { select: ['orderId', 'name'], grants: ['PII', 'PII.email'] } }), []);
    expect(found(findings)).toEqual(['grant-unused  apps/mailer/contracts.yaml:11']);
    expect(findings[0]).toMatchObject({ severity: 'warning', message: 'mailer has a grant for PII.email, and selects nothing that is tagged so.' });
  });

  it('is not held against fields and facts that are not there: another rule names those', async () => {
    expect(await missing(['nmae'], ['PII'])).toEqual([]);
    const gone = await landscape({ mailer: { select: ['name'], grants: ['PII'] } });
    expect(grantFindings({ ...gone, schemas: { ...gone.schemas, facts: new Map() } }, [])).toEqual([]);
  });

  it.each([
    ['PII', '$.consumes[0].grants', 'contract.invalid'],
    ['[PII, ""]', '$.consumes[0].grants[1]', 'contract.invalid'],
    ['[PII, PII]', '$.consumes[0].grants[1]', 'contract.duplicate'],
  ])('written as %s is refused at %s', async (grants, path, code) => {
    const yaml = `app: mailer\nowner: people\nconsumes: [{fact: shop.OrderPlaced, select: [name], purpose: testing, grants: ${grants}}]\n`;
    await expect(readLandscape(tree('working tree', { 'apps/mailer/contracts.yaml': yaml }), FOLDERS)).rejects.toMatchObject({ code, details: { path } });
  });

  it('is spelt so: another key is refused with a suggestion', async () => {
    const yaml = 'app: mailer\nowner: people\nconsumes: [{fact: shop.OrderPlaced, select: [name], purpose: testing, grant: [PII]}]\n';
    await expect(readLandscape(tree('working tree', { 'apps/mailer/contracts.yaml': yaml }), FOLDERS)).rejects.toMatchObject({ code: 'contract.invalid', advice: "Did you mean 'grants'?" });
  });
});
