import { type Comparison, compareContracts } from './compare.js';
import type { History } from '../lock/history.js';
import { type Base, type Landscape, readLandscape, restrictedTo } from './landscape.js';
import { FIELDS, FOLDERS, type Fields, type Files, files, money, tree } from './shop.spec.support.js';

const landscape = (of: Files, name = 'working tree'): Promise<Landscape> => readLandscape(tree(name, of), FOLDERS);
const commit = async (of: Files, name = 'git 4f1c2a9'): Promise<Base> => ({ name, landscapes: [await landscape(of, name)] });
const deployed = async (environment: string, apps: Record<string, Files>): Promise<Base> => ({
  name: environment,
  landscapes: await Promise.all(Object.entries(apps).map(async ([app, of], at) => restrictedTo(await landscape(of), `${environment} 000000${at}`, new Set([app])))),
});

async function registered(...versions: readonly Fields[]): Promise<Base> {
  const schemas = await Promise.all(versions.map(async (fields) => (await landscape(files(fields))).schemas.facts.get('shop.OrderPlaced')!.schema));
  const history: History = { name: 'lock', file: 'schemas/registry.lock.json', subjects: new Map([['shop.OrderPlaced', { versions: schemas.map((schema, at) => ({ version: at + 1, id: at + 1, schema })) }]]) };
  return { name: 'lock', landscapes: [], history };
}

const optional = { field: { type: ['null', 'string'], default: null } };
const without = (...names: string[]): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([key]) => !names.includes(key)));
const found = ({ findings }: Comparison) => findings.map(({ rule, field, against }) => `${rule} ${field}: ${against.join(', ')}`);
const broken = ({ consumers }: Comparison) => consumers.filter(({ verdict }) => verdict === 'BROKEN').map(({ app, tree: at, deployed: where }) => [app, at, where]);

describe('every version that was registered', () => {
  it('a field that came, went and comes back with another type cannot be replayed, though the last version never had it', async () => {
    const now = { ...FIELDS, channel: { field: { type: ['null', 'int'], default: null } } };
    const history = await registered({ ...FIELDS, channel: optional }, FIELDS);
    const result = compareContracts(await landscape(files(now)), [history]);
    expect(found(result)).toEqual(['union-branch-removed channel: version 1 (lock)']);
    const control = compareContracts(await landscape(files(now)), [await registered(FIELDS)]);
    expect(found(control)).toEqual([]);
  });

  it('an app that selects such a field is broken by its replay, and named', async () => {
    const now = files({ ...FIELDS, channel: { field: { type: ['null', 'int'], default: null } } }, { board: ['orderId', 'channel'], billing: ['total.cents'] });
    const result = compareContracts(await landscape(now), [await registered({ ...FIELDS, channel: optional }, FIELDS)]);
    expect(broken(result)).toEqual([['board', undefined, undefined]]);
  });

  it('without TRANSITIVE only the last version counts', async () => {
    const now = files({ ...FIELDS, channel: { field: { type: ['null', 'int'], default: null } } }, {}, { 'schemas/contracts.config.yaml': 'compatibility: FULL\n' });
    expect(found(compareContracts(await landscape(now), [await registered({ ...FIELDS, channel: optional }, FIELDS)]))).toEqual([]);
  });

  it('what changed its meaning since the last one is said once, however many bases agree', async () => {
    const now = files({ ...FIELDS, email: { field: { type: 'string', 'confluent:tags': [] } } });
    const before: Fields = { ...FIELDS, email: { field: { type: 'string', 'confluent:tags': ['PII'] } } };
    const result = compareContracts(await landscape(now), [await registered(FIELDS, before), await commit(files(before))]);
    expect(found(result)).toEqual(['tag-removed email: version 2 (lock), git 4f1c2a9']);
  });

  it('a fact that is registered and not declared any more is gone', async () => {
    const result = compareContracts(await landscape({ 'schemas/shop/topic.yaml': files()['schemas/shop/topic.yaml']! }), [await registered(FIELDS)]);
    expect(result.findings.map(({ rule, place }) => [rule, place.file])).toEqual([['fact-removed', 'schemas/registry.lock.json']]);
  });

  it('a fact that is registered is not new, and one that is in no base is', async () => {
    expect(compareContracts(await landscape(files()), [await registered(FIELDS)]).facts).toEqual({ checked: 1, added: 0, changed: 0, removed: 0 });
    expect(compareContracts(await landscape(files()), [{ name: 'lock', landscapes: [] }]).facts).toEqual({ checked: 1, added: 1, changed: 0, removed: 0 });
  });
});

describe('what is deployed', () => {
  it('an app that stopped selecting in main still runs with the old selection in production', async () => {
    const now = await landscape(files(without('email'), { mailer: ['orderId'] }));
    const main = await commit(files(FIELDS, { mailer: ['orderId'] }));
    const prod = await deployed('prod', { mailer: files() });
    expect(broken(compareContracts(now, [main]))).toEqual([]);
    const result = compareContracts(now, [main, prod]);
    expect(broken(result)).toEqual([['mailer', 'prod 0000000', ['prod 0000000']]]);
    expect(result.findings[0]!.consumers[0]).toMatchObject({ app: 'mailer', verdict: 'BROKEN', place: { file: 'apps/mailer/contracts.yaml' } });
  });

  it('of other apps a deployed commit says nothing', async () => {
    const now = await landscape(files(without('email'), { mailer: ['orderId'] }));
    const main = await commit(files(FIELDS, { mailer: ['orderId'] }));
    expect(broken(compareContracts(now, [main, await deployed('prod', { board: files() })]))).toEqual([]);
  });

  it('each environment in which it breaks is named', async () => {
    const bases = [await deployed('prod', { mailer: files() }), await deployed('stage', { board: files(), mailer: files() })];
    const dropped = compareContracts(await landscape(files(without('email'), { mailer: ['orderId'] })), bases);
    expect(broken(dropped)).toEqual([['mailer', 'prod 0000000, stage 0000001', ['prod 0000000', 'stage 0000001']]]);
    expect(found(dropped)).toEqual(['consumer-broken email: prod 0000000, stage 0000001']);
    const still = compareContracts(await landscape(files(without('email'))), [await commit(files()), ...bases]);
    expect(broken(still)).toEqual([['mailer', undefined, ['prod 0000000', 'stage 0000001']]]);
  });

  it('what the deployed producer states counts as a version, what a deployed consumer’s commit happens to hold does not', async () => {
    const other: Fields = { ...FIELDS, total: { ...money, fields: [{ name: 'cents', type: 'string' }, { name: 'currency', type: 'string' }] } };
    const now = await landscape(files());
    const [asConsumer, asProducer] = [await deployed('prod', { board: files(other) }), await deployed('prod', { shop: files(other) })];
    expect(found(compareContracts(now, [await commit(files()), asConsumer]))).toEqual([]);
    expect(found(compareContracts(now, [await commit(files()), asProducer]))).toEqual(['type-changed total.cents: prod 0000000']);
  });
});
