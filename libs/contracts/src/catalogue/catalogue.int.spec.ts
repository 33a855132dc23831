import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FIELDS, type Files, schema } from '../check/shop.spec.support.js';
import { formatLock } from '../lock/lock.js';
import { readLandscape } from '../check/landscape.js';
import { Workshop, refusal } from '../trees/repository.spec.support.js';
import { workingTree } from '../trees/tree.js';
import { generateCatalogue } from './catalogue.js';
import type { Catalogue } from './graph.js';
import { shop } from './sources.spec.support.js';

const FACT = 'schemas/shop/OrderPlaced.avsc';

let workshop: Workshop;
let root: string;
beforeEach(() => {
  workshop = new Workshop();
  workshop.init('repository');
  root = workshop.path('repository');
  write(shop());
});
afterEach(() => workshop.remove());

function write(files: Files): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

const catalogueIn = (out: string) => JSON.parse(readFileSync(join(root, out, 'catalogue.json'), 'utf8')) as Catalogue;
const changedIn = async (options = {}) => (await generateCatalogue(root, options)).filter(({ changed }) => changed).map(({ file }) => file);

describe('the catalogue of a repository', () => {
  it('is written once, and drifts with a word of documentation', async () => {
    expect(await changedIn()).toEqual(
      ['catalogue.json', 'catalogue.css', 'catalogue.js', 'index.html', 'facts/shop.OrderPlaced.html', ...['billing', 'board', 'mailer', 'shop', 'stock'].map((app) => `apps/${app}.html`), ...['billing', 'board', 'mailer', 'shop', 'stock'].map((app) => `apps/${app}.asyncapi.json`)].map((file) => `docs/catalogue/${file}`),
    );
    expect(await changedIn()).toEqual([]);
    expect(await changedIn({ check: true })).toEqual([]);
    write({ [FACT]: schema({ ...FIELDS, email: { field: { type: 'string', doc: 'Where to.' } } }) });
    const drift = await refusal(generateCatalogue(root, { check: true }));
    const files = ['catalogue.json', 'facts/shop.OrderPlaced.html', 'apps/mailer.html', 'apps/mailer.asyncapi.json', 'apps/shop.asyncapi.json'].map((file) => `docs/catalogue/${file}`);
    expect(drift).toMatchObject({ code: 'catalogue.drift', kind: 'configuration', details: { files }, advice: 'Run `factline contracts catalogue` and commit the result.' });
    expect(drift.message).toContain(files.join(', '));
    expect(readFileSync(join(root, 'docs/catalogue/facts/shop.OrderPlaced.html'), 'utf8')).not.toContain('Where to.');
    expect(await changedIn()).toEqual(files);
    expect(await changedIn({ check: true })).toEqual([]);
  });

  it('loses the pages of what is gone, and leaves the files of others', async () => {
    await generateCatalogue(root, { out: 'public' });
    write({ 'public/apps/notes.html': '<p>Written with factline contracts catalogue in mind.</p>', 'public/facts/extra.json': '{}', 'public/CNAME': 'x' });
    rmSync(join(root, 'apps/mailer'), { recursive: true });
    expect((await refusal(generateCatalogue(root, { out: 'public', check: true }))).advice).toContain('--out public');
    expect(await changedIn({ out: 'public' })).toEqual(expect.arrayContaining(['public/apps/mailer.html', 'public/apps/mailer.asyncapi.json', 'public/index.html']));
    expect(['apps/mailer.html', 'apps/mailer.asyncapi.json', 'apps/notes.html', 'facts/extra.json', 'CNAME', 'apps/board.html'].map((file) => existsSync(join(root, 'public', file)))).toEqual([false, false, true, true, true, true]);
  });

  it('shows what is deployed, each app at its commit, and what was registered', async () => {
    const first = workshop.commit('repository', {});
    const { email: _gone, ...rest } = FIELDS;
    write(shop(rest, { mailer: ['orderId'], board: ['status'] }));
    const { schemas } = await readLandscape(workingTree(root), { schemas: 'schemas', apps: 'apps' });
    write({
      'deployments/prod.json': JSON.stringify({ shop: first, mailer: first }),
      'schemas/registry.lock.json': formatLock({ name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions: [{ version: 3, id: 12, schema: schemas.facts.get('shop.OrderPlaced')!.schema }] }]]) }),
    });
    await generateCatalogue(root, { environments: ['prod'] });
    const { facts, environments, apps } = catalogueIn('docs/catalogue');
    expect(environments).toEqual(['prod']);
    expect(apps.map(({ name, deployed }) => [name, deployed['prod']])).toEqual([['billing', undefined], ['board', undefined], ['mailer', first], ['shop', first], ['stock', undefined]]);
    expect(facts[0]!.fields.find(({ path }) => path === 'email')).toMatchObject({ declared: false, writtenIn: ['prod'], readBy: [{ app: 'mailer', declared: false, environments: ['prod'] }] });
    expect(facts[0]!.versions).toEqual([{ version: 3, id: 12, fingerprint: facts[0]!.fingerprint, changes: [] }]);
    expect((await refusal(generateCatalogue(root, { environments: ['stage'] }))).code).toBe('deployment.unknown-environment');
    await generateCatalogue(root);
    expect(catalogueIn('docs/catalogue').facts[0]!.fields.map(({ path }) => path)).not.toContain('email'); // control: declared is what is declared
  });

  it('is not written of a folder where nothing is declared', async () => {
    expect(await refusal(generateCatalogue(root, { schemas: 'contracts', apps: 'services' }))).toMatchObject({ code: 'catalogue.nothing-declared', kind: 'configuration' });
    expect(existsSync(join(root, 'docs'))).toBe(false);
  });
});
