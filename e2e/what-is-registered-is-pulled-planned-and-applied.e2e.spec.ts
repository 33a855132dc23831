import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Program } from './support/program.js';
import { CLI } from './support/root.js';

const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';
const LOCK = 'schemas/registry.lock.json';

let folder: string;
/** Subjects of this spec alone: the registry is shared and never emptied. */
let context: string;
const at = (file: string) => join(folder, file);

beforeEach(async () => {
  if (url === '') throw new Error('FACTLINE_REGISTRY_URL is not set: start the stack and give the address of its registry.');
  folder = await mkdtemp(join(tmpdir(), 'factline-registry-'));
  context = `cli_${randomBytes(6).toString('hex')}`;
  await declare('orders', 'Placed');
  await declare('money', 'Paid');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(at(file)), { recursive: true });
  await writeFile(at(file), text);
}

/** A fact of a topic that an owner of the same name has. */
async function declare(owner: string, name: string, fields: readonly object[] = [], doc = 'It happened.'): Promise<void> {
  await write(`schemas/${owner}/topic.yaml`, `name: ${context}.${owner}\nowner: ${owner}\nkeyField: id\npartitions: 1\nkind: facts\n`);
  await write(`schemas/${owner}/${name}.avsc`, JSON.stringify({ type: 'record', name, namespace: context, doc, fields: [{ name: 'meta', type: 'factline.Meta' }, { name: 'id', type: 'string' }, ...fields] }));
}

const note = { name: 'note', type: ['null', 'string'], default: null };
const amount = { name: 'amount', type: 'long' };

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function contracts(args: readonly string[], environment: Readonly<Record<string, string>> = { FACTLINE_REGISTRY_URL: url }): Promise<Ended> {
  const program = new Program(process.execPath, [CLI, 'contracts', ...args], { environment, cwd: folder });
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

const says = (...parts: (string | RegExp)[]) => ({ test: (text: string) => parts.every((part) => (typeof part === 'string' ? text.includes(part) : part.test(text))) });
function expectSaid({ stdout, stderr, code }: Ended, expected: number, ...parts: (string | RegExp)[]): void {
  expect({ code, stderr, said: says(...parts).test(stdout) ? 'all of it' : stdout }).toEqual({ code: expected, stderr: '', said: 'all of it' });
}

it('a change goes its way: planned, applied, pulled, and nothing is left to do', async () => {
  const [placed, paid] = [`${context}.Placed`, `${context}.Paid`];
  expectSaid(await contracts(['pull', '--check']), 100, `${LOCK}: 0 subjects, 0 versions; would change`);
  expectSaid(await contracts(['plan']), 0, placed, 'none of its own -> FULL_TRANSITIVE', 'version 1: its first version', '2 levels to set, 2 versions to register; can be applied');
  expectSaid(await contracts(['apply']), 0, `level set  ${placed}: FULL_TRANSITIVE`, new RegExp(`registered ${paid} \\(id \\d+\\)`), '4 done; all is as declared');
  expectSaid(await contracts(['apply']), 0, 'nothing to do', '0 done; all is as declared');
  expectSaid(await contracts(['pull']), 0, new RegExp(`new {8}${placed} version 1 \\(id \\d+\\)`), '2 subjects, 2 versions; written');
  const first = await readFile(at(LOCK), 'utf8');
  expectSaid(await contracts(['pull', '--check']), 0, 'up to date');

  await declare('orders', 'Placed', [note]);
  expectSaid(await contracts(['plan']), 0, 'version 2: the contract changed', `${paid}  nothing`);
  expectSaid(await contracts(['apply']), 0, '1 done');
  expectSaid(await contracts(['pull', '--check']), 100, `new        ${placed} version 2`, 'would change');
  expect(await readFile(at(LOCK), 'utf8')).toBe(first);
  expectSaid(await contracts(['pull']), 0, '2 subjects, 3 versions; written');
  const [before, after] = [first.split('\n'), (await readFile(at(LOCK), 'utf8')).split('\n')];
  expect(after.filter((line) => !before.includes(line))).toHaveLength(1);
  expect(before.filter((line) => !after.includes(line))).toEqual([]);

  await declare('orders', 'Placed', [note], 'It happened, in other words.');
  expectSaid(await contracts(['plan']), 0, 'version 3: documentation only');
  expect((await readdir(at('schemas'))).filter((file) => file.endsWith('.tmp'))).toEqual([]);
});

it('what the level forbids is refused in the plan, and then nothing of it is applied', async () => {
  await contracts(['apply']);
  await declare('orders', 'Placed', [amount]);
  await declare('money', 'Paid', [note]);
  expectSaid(await contracts(['plan']), 100, /refused +amount: It is new \(long\) and has no default\. Against version 1\./, '1 refused');
  expectSaid(await contracts(['apply']), 100, '1 refused', `0 done; not done: ${context}.Paid, ${context}.Placed`);
  const plan = await contracts(['plan', '--json']);
  expect(plan.code).toBe(100);
  expect(JSON.parse(plan.stdout)).toMatchObject({
    event: 'plan',
    refused: 1,
    subjects: [{ subject: `${context}.Paid`, owner: 'money', version: { number: 2, news: 'contract' }, refusals: [] }, { subject: `${context}.Placed`, refusals: [expect.stringContaining('amount') as string] }],
  });
  expectSaid(await contracts(['apply', '--owner', 'money']), 0, '1 done; all is as declared'); // the other owner's fault does not hold this one up
});

it('an owner touches its own topics, and a lock keeps what others have', async () => {
  expectSaid(await contracts(['apply', '--owner', 'orders']), 0, '1 subjects', '2 done');
  expectSaid(await contracts(['pull', '--owner', 'orders']), 0, '1 subjects, 1 versions; written');
  await contracts(['apply']);
  expectSaid(await contracts(['pull', '--owner', 'money']), 0, '2 subjects, 2 versions; written');
  expect(await contracts(['plan', '--owner', 'mony'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Known are: money, orders') as string });
});

it('a level is lowered when it is asked for', async () => {
  await contracts(['apply']);
  await write('schemas/contracts.config.yaml', `subjects:\n  ${context}.Placed: BACKWARD\n`);
  expectSaid(await contracts(['plan']), 100, 'FULL_TRANSITIVE -> BACKWARD', '--lower-level');
  expectSaid(await contracts(['apply', '--lower-level']), 0, `level set  ${context}.Placed: BACKWARD`, '1 done');
  expectSaid(await contracts(['pull']), 0, `level      ${context}.Placed: BACKWARD`);
});

it('a lock file that the registry contradicts, or that was edited, is written over when it is asked for', async () => {
  await contracts(['apply']);
  await contracts(['pull']);
  const text = await readFile(at(LOCK), 'utf8');
  await writeFile(at(LOCK), text.replace(/"id": \d+/, '"id": 1999999999'));
  expect(await contracts(['pull'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not the registry of .*1999999999 in the lock[\s\S]*--replace/) as string });
  expectSaid(await contracts(['pull', '--check']), 100, /gone +version 1 of .* has id/);
  await writeFile(at(LOCK), text.replace('It happened.', 'Nothing happened.'));
  expect(await contracts(['pull'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/version 1 of '.*' is not what its fingerprint says[\s\S]*pull --replace/) as string });
  expectSaid(await contracts(['pull', '--replace']), 0, 'written');
  expect(await readFile(at(LOCK), 'utf8')).toBe(text);
});

it('two that apply at once leave one version', async () => {
  const both = await Promise.all([contracts(['apply']), contracts(['apply'])]);
  expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([{ code: 0, stderr: '' }, { code: 0, stderr: '' }]);
  expectSaid(await contracts(['pull']), 0, '2 subjects, 2 versions; written');
});

it('credentials are used and never said; what is missing or does not answer is said', async () => {
  const [user, password] = ['reader', 'hunter2'];
  const address = new URL(url);
  [address.username, address.password] = [user, password];
  const told = [
    await contracts(['plan'], { FACTLINE_REGISTRY_URL: address.href }),
    await contracts(['plan', '--json', '--registry', address.href], {}),
    await contracts(['plan', '--registry', `http://${user}:${password}@127.0.0.1:1`], {}),
    await contracts(['plan', '--registry', `nonsense://${user}:${password}@x`], {}),
    await contracts(['pull'], { FACTLINE_REGISTRY_URL: url, FACTLINE_REGISTRY_USER: user, FACTLINE_REGISTRY_PASSWORD: password }),
    await contracts(['plan'], { FACTLINE_REGISTRY_URL: url, FACTLINE_REGISTRY_PASSWORD: password }),
    await contracts(['plan'], {}),
  ];
  expect(told.map(({ code }) => code)).toEqual([0, 0, 3, 2, 0, 2, 2]);
  for (const { stdout, stderr } of told) expect(stdout + stderr).not.toMatch(/hunter2|reader:/);
  expect(told[2]!.stderr).toMatch(/did not answer .*registry\.unavailable/);
  expect(told[6]!.stderr).toMatch(/--registry <url>.*FACTLINE_REGISTRY_URL/);
});
