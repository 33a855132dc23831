import { usageFindings } from '../check/usage.js';
import { loadParser } from './syntax.js';
import { SELECTED, contractOf, landscapeOf, repository } from './usage.spec.support.js';
import { type Usage, usagesOf } from './usage.js';

const PAY = 'apps/pay/src/pay.ts';
const IMPORTS = `import { projection } from 'factline/projections';\nimport { PersonHired } from './contracts.generated.js';\n`;
const WITHOUT_KEY = SELECTED.slice(1);

async function usage(files: Record<string, string>, contract?: string): Promise<Usage> {
  const tree = repository(files, contract);
  const { contracts, schemas } = await landscapeOf(tree);
  return (await usagesOf(contracts[0]!, schemas, tree, await loadParser()))[0]!;
}

const code = (text: string) => usage({ [PAY]: IMPORTS + text });
const fold = (handler: string, more = '') => code(`export const people = projection({}).on(Other, (row, { data }) => data).on(PersonHired, ${handler});\n${more}`);
const but = (...read: string[]) => WITHOUT_KEY.filter((field) => !read.includes(field));

describe('what a fold reads is found', () => {
  it.each([
    ['a property', '(_row, { data }) => ({ n: data.name })', ['name']],
    ['a property of the fact', '(_row, fact) => ({ n: fact.data.name })', ['name']],
    ['optional, asserted and cast', '(_row, f) => ({ n: f.data?.name, e: (f.data as Person)!.email })', ['name', 'email']],
    ['a literal index', "(_row, { data }) => ({ n: data['name'] })", ['name']],
    ['destructuring in the parameter', '(_row, { data: { name, salary: cents } }) => ({ name, cents })', ['name', 'salary']],
    ['destructuring in the body', '(_row, { data }) => { const { name } = data; return { name }; }', ['name']],
    ['another name for it', '(_row, fact) => { const all = fact; const d = all.data; return { n: d.name }; }', ['name']],
    ['a part of a part', '(_row, { data }) => ({ c: data.address?.city })', ['address.city']],
    ['a part under another name', '(_row, { data }) => { const { address: home } = data; return { c: home?.city }; }', ['address.city']],
    ['a part as a whole', '(_row, { data }) => ({ a: data.address })', ['address.city', 'address.street']],
    ['a list', '(_row, { data }) => ({ n: data.lines.map((line) => line.note) })', ['lines.sku']],
    ['a closure', '(_row, { data }) => later(() => data.name)', ['name']],
    ['the row and nothing else', '(row) => row && { ...row, gone: true }', []],
    ['key and metadata and nothing else', '(_row, { key, meta }) => ({ id: key, at: meta.occurredAt })', []],
    ['the rest without the data', '(_row, { data, ...rest }) => ({ n: data.name, rest })', ['name']],
  ])('%s', async (_what, handler, read) => {
    expect(await fold(handler)).toMatchObject({ used: true, unread: but(...read) });
  });

  it.each([
    ['a function of the file', '(_row, { data }) => rowOf(data)', 'function rowOf({ name }) { return { name }; }', ['name']],
    ['a function that calls itself', '(_row, { data }) => rowOf(1, data)', 'const rowOf = (n, d) => n > 3 ? d.name : rowOf(n + 1, d);', ['name']],
    ['a fold with a name', 'hired', 'function hired(_row, fact) { return { n: fact.data.email }; }', ['email']],
  ])('%s', async (_what, handler, more, read) => {
    expect(await fold(handler, more)).toMatchObject({ unread: but(...read) });
  });

  it('a function of another file, and the namespace of the generated one', async () => {
    const folds = 'apps/pay/src/folds.ts';
    expect(await usage({ [PAY]: `${IMPORTS}import { hired as onHired } from './folds.js';\nprojection({}).on(PersonHired, onHired);`, [folds]: 'export const hired = (_row, { data }) => ({ n: data.name });' })).toMatchObject({ unread: but('name') });
    expect(await usage({ [PAY]: "import * as facts from './contracts.generated.js';\nimport { projection as p } from 'factline/projections';\np({}).on(facts.PersonHired, (_, { data }) => data.salary);" })).toMatchObject({ unread: but('salary') });
  });

  it('in all folds together, on topics of their own too', async () => {
    expect(await code(`projection({}).on(PersonHired, (_, { data }) => data.name); projection({}).on({ ...PersonHired, topic }, (_, { data }) => data.email);`)).toMatchObject({ unread: but('name', 'email') });
  });

  it('in a handler that a decorator marks, whichever parameter holds the fact', async () => {
    expect(await code(`class Mails { @OnFact(PersonHired) hired(fact) { this.send(fact.data.email); } }`)).toMatchObject({ unread: but('email') });
  });
});

describe('what cannot be followed counts as read', () => {
  it.each([
    ['a spread', '(_row, { data }) => ({ ...data })'],
    ['a return', '(_row, { data }) => data'],
    ['an index that is computed', '(_row, { data }) => ({ n: data[field] })'],
    ['a call of something unknown', '(_row, { data }) => rowOf(data)'],
    ['a method', '(_row, { data }) => this.rowOf(data)'],
    ['an assignment', '(_row, { data }) => { last = data; }'],
    ['a list of it', '(_row, { data }) => [data]'],
    ['the rest', '(_row, { data: { name, ...rest } }) => rest'],
    ['a shorthand', '(_row, { data }) => ({ data })'],
    ['all parameters', '(...all) => all[1].data.name'],
    ['arguments', 'function () { return arguments[1].data.name; }'],
    ['a name given twice', '(_row, { data }) => rowOf(data)', 'const rowOf = (d) => d.name; function other(rowOf) {}'],
    ['all keys', '(_row, { data }) => Object.keys(data)'],
  ])('%s', async (_what, handler, more = '') => {
    expect(await fold(handler, more)).toMatchObject({ used: true, unread: [] });
  });

  it.each([
    ['a constant that is kept', 'const all = [PersonHired];\nfor (const type of all) projection({}).on(type, (_, { data }) => ({ ...data }));', 3],
    ['a handler that is made', '\nprojection({}).on(PersonHired, making());', 4],
    ['a handler from a package', "import { hired } from 'elsewhere';\nprojection({}).on(PersonHired, hired);", 4],
    ['a generated file that is loaded at run time', "const facts = await import('./contracts.generated.js');", 3],
    ['a generated file that is handed on', "export * from './contracts.generated.js';", 3],
    ['errors of syntax', 'const = 1;', 1],
  ])('%s, and it says where', async (_what, text, line) => {
    expect(await code(text)).toMatchObject({ used: true, unread: [], lost: `${PAY}:${line}` });
  });

  it('a first parameter of another `on`: only folds get the row first', async () => {
    expect(await code('bus.on(PersonHired, (fact, context) => ({ n: fact.data.name }));')).toMatchObject({ unread: but('name') });
  });

  it('what a handler of unknown make gets: it may be the fact, or its data', async () => {
    expect(await code('register(PersonHired, (data) => ({ n: data.name, s: data.salary }));')).toMatchObject({ unread: but('name', 'salary') });
    expect(await code('register(PersonHired, ({ name }, { data: { email } }) => ({ name, email }));')).toMatchObject({ unread: but('name', 'email') });
    expect(await code('register(PersonHired, (context) => context.fact.data.name);')).toMatchObject({ unread: [] });
  });

  it('a constant that comes by another way', async () => {
    expect(await usage({ [PAY]: `${IMPORTS}projection({}).on(PersonHired, () => null);`, 'apps/pay/src/b.ts': "import { PersonHired } from '#facts';\nkeep(PersonHired);" })).toMatchObject({ unread: [], lost: 'apps/pay/src/b.ts:2' });
  });

  it('an app whose code is somewhere else', async () => {
    expect(await usage({})).toMatchObject({ unread: [], lost: 'apps/pay' });
  });
});

describe('a finding', () => {
  const findings = async (files: Record<string, string>, contract?: string) => {
    const tree = repository(files, contract);
    return (await usageFindings(await landscapeOf(tree), tree))!.map(({ rule, severity, fact, field, place, message }) => ({ rule, severity, fact, field, place, message }));
  };

  it('stands at the selected field; specs read nothing, and the key field is never one', async () => {
    const spec = { 'apps/pay/src/pay.unit.spec.ts': `${IMPORTS}projection({}).on(PersonHired, (_, { data }) => data.email);` };
    expect(await findings({ ...spec, [PAY]: `${IMPORTS}projection({}).on(PersonHired, (_, { data }) => data.name);` }, contractOf(['personId', 'name', 'email']))).toEqual([
      { rule: 'select-never-read', severity: 'warning', fact: 'x.PersonHired', field: 'email', place: { file: 'apps/pay/contracts.yaml', line: 6, column: 30 }, message: 'no code of pay reads email of x.PersonHired' },
    ]);
  });

  it('names a fact that no code uses, and fields that a wildcard brings', async () => {
    expect(await findings({ [PAY]: "import { Other } from './contracts.generated.js';" })).toMatchObject([{ field: '', place: { line: 5 }, message: expect.stringContaining('no code of pay uses x.PersonHired') as string }]);
    const wildcard = contractOf([]).replace('[]\n    purpose', "'*'\n    reason: all\n    purpose");
    expect(await findings({ [PAY]: `${IMPORTS}projection({}).on(PersonHired, (_, { data: { name, email, salary, address } }) => address);` }, wildcard)).toMatchObject([{ field: '', place: { line: 6 }, message: expect.stringContaining('does not read lines;') as string }]);
  });

  it('is not made where all is read (control)', async () => {
    expect(await findings({ [PAY]: `${IMPORTS}projection({}).on(PersonHired, (_, { data: { name, email, salary, address, lines } }) => [address, lines]);` })).toEqual([]);
  });
});
