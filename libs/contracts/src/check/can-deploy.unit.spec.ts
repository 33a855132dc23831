import { canDeploy } from './can-deploy.js';
import type { History } from '../lock/history.js';
import { type Base, type Landscape, readLandscape, restrictedTo } from './landscape.js';
import { FIELDS, FOLDERS, type Fields, type Files, files, tree } from './shop.spec.support.js';
import { usesOf } from './uses.js';

const landscape = (of: Files, name = 'working tree'): Promise<Landscape> => readLandscape(tree(name, of), FOLDERS);
const prod = async (apps: Record<string, Files>): Promise<Base> => ({
  name: 'prod',
  landscapes: await Promise.all(Object.entries(apps).map(async ([app, of]) => restrictedTo(await landscape(of), `prod ${app}`, new Set([app])))),
});
const lockOf = async (...versions: readonly Fields[]): Promise<History> => {
  const schemas = await Promise.all(versions.map(async (fields) => (await landscape(files(fields))).schemas.facts.get('shop.OrderPlaced')!.schema));
  return { name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions: schemas.map((schema, at) => ({ version: at + 1, id: at + 1, schema })) }]]) };
};

const without = (...names: string[]): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([key]) => !names.includes(key)));
const APP = 'apps/shop/contracts.yaml';
const PRODUCER = { [APP]: 'app: shop\nowner: shop\nproduces: [shop.OrderPlaced]\nconsumes: []\n' };
const told = ({ deployable, obstacles }: ReturnType<typeof canDeploy>) => [deployable, ...obstacles.map(({ side, other, tree: where, verdict, reasons }) => `${verdict} ${side} ${other} (${where}) ${reasons.map(({ field }) => field).join()}`)];

describe('whether an app can be deployed', () => {
  it('a producer beside consumers that still read what it drops: no, and who', async () => {
    const environment = await prod({ shop: files(), mailer: files(), board: files() });
    const candidate = await landscape({ ...files(without('email'), { mailer: ['orderId'] }), ...PRODUCER });
    expect(told(canDeploy('shop', candidate, environment, undefined))).toEqual([false, 'BROKEN is-read mailer (prod mailer) email']);
  });

  it('the same once the consumer that stopped selecting it is deployed: yes', async () => {
    const environment = await prod({ shop: files(), mailer: files(FIELDS, { mailer: ['orderId'] }), board: files() });
    const candidate = await landscape({ ...files(without('email'), { mailer: ['orderId'] }), ...PRODUCER });
    expect(told(canDeploy('shop', candidate, environment, undefined))).toEqual([true]);
  });

  it('a consumer that needs a field which the deployed producer does not state: no', async () => {
    const now = files({ ...FIELDS, channel: 'string' }, { board: ['orderId', 'channel'] });
    expect(told(canDeploy('board', await landscape(now), await prod({ shop: files() }), undefined))).toEqual([false, 'BROKEN reads shop (prod shop) channel']);
  });

  it('a field with a default is none the worse for not being stated yet', async () => {
    const now = files({ ...FIELDS, channel: { field: { type: ['null', 'string'], default: null } } }, { board: ['orderId', 'channel'] });
    expect(told(canDeploy('board', await landscape(now), await prod({ shop: files() }), undefined))).toEqual([true]);
  });

  it('a consumer that reads what is stated, but not what was stated before: its read model could not be rebuilt', async () => {
    const now = files({ ...FIELDS, channel: 'string' }, { board: ['orderId', 'channel'] });
    const environment = await prod({ shop: files({ ...FIELDS, channel: 'string' }) });
    expect(told(canDeploy('board', await landscape(now), environment, undefined))).toEqual([true]);
    expect(told(canDeploy('board', await landscape(now), environment, await lockOf(FIELDS, { ...FIELDS, channel: 'string' })))).toEqual([false, 'BROKEN reads shop (version 1 (lock)) channel']);
  });

  it('a consumer whose own schemas have not what it selects does not start: no', async () => {
    const environment = await prod({ shop: files() });
    const broken = ['BROKEN reads shop (working tree) '];
    expect(told(canDeploy('board', await landscape(files(FIELDS, { board: ['orderId', 'chanel'] })), environment, undefined))).toEqual([false, ...broken]);
    expect(told(canDeploy('board', await landscape(files(FIELDS, { board: ['orderId', 'orderId'] })), environment, undefined))).toEqual([false, ...broken]);
    const { 'schemas/shop/OrderPlaced.avsc': _gone, ...rest } = files();
    expect(told(canDeploy('board', await landscape(rest), environment, undefined))).toEqual([false, 'BROKEN reads  (working tree) ']);
  });

  it('a consumer of a fact that nobody states there is told so', async () => {
    expect(told(canDeploy('board', await landscape(files()), await prod({ board: files() }), undefined))).toEqual([true, 'ABSENT reads shop (prod) ']);
  });

  it('a consumer that would read defaults is told, and may be deployed', async () => {
    const before: Fields = { ...FIELDS, channel: { field: { type: 'string', default: 'shop' } } };
    const environment = await prod({ shop: files(before), board: files(before, { board: ['orderId', 'channel'] }) });
    const candidate = await landscape({ ...files(), ...PRODUCER });
    expect(told(canDeploy('shop', candidate, environment, undefined))).toEqual([true, 'DEGRADED is-read board (prod board) channel']);
  });
});

describe('who uses a field', () => {
  it('whoever selects it, a part of it, or everything, here and where it is deployed', async () => {
    const here = await landscape(files(FIELDS, { mailer: ['orderId', 'email'], archive: '*', billing: ['total.cents'] }));
    const there = (await prod({ board: files() })).landscapes;
    const uses = (field: string) => usesOf('shop.OrderPlaced', field, [here, ...there]).map(({ app, selects, tree: where }) => `${app} ${selects} (${where})`);
    expect(uses('email')).toEqual(['archive * (working tree)', 'mailer email (working tree)']);
    expect(uses('total')).toEqual(['archive * (working tree)', 'billing total.cents (working tree)']);
    expect(uses('status')).toEqual(['archive * (working tree)', 'board status (prod board)']);
    expect(uses('note')).toEqual(['archive * (working tree)']);
  });
});
