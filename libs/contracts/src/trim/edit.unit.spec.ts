import { trimmedContract } from './edit.js';
import { planTrims } from './trim.js';
import { contractOf, landscapeOf, repository } from './usage.spec.support.js';

const FILE = 'apps/pay/contracts.yaml';
const HEAD = '# who pays\napp: pay\nowner: finance   # since 2024\nproduces: []\nconsumes:\n';
const entry = (select: string, fact = 'x.PersonHired') => `  - fact: ${fact}\n    select: ${select}\n    purpose: to pay   # not more\n`;
const trim = (select: string, ...fields: string[]) => {
  const text = trimmedContract(HEAD + entry(select) + entry('[name]', 'x.PersonLeft'), FILE, [{ fact: 'x.PersonHired', fields }]).after;
  expect(text.startsWith(`${HEAD}  - fact: x.PersonHired\n    select: `)).toBe(true);
  expect(text.endsWith(`    purpose: to pay   # not more\n${entry('[name]', 'x.PersonLeft')}`)).toBe(true);
  return text.slice(HEAD.length).split('select: ')[1]!.split('\n    purpose')[0];
};

describe('a trimmed contract', () => {
  it.each([
    ['the first of a line', '[name, email, salary]', ['name'], '[email, salary]'],
    ['one in the middle', '[name,  email, salary]', ['email'], '[name,  salary]'],
    ['the last of a line', '[ name, email, salary ]', ['salary'], '[ name, email ]'],
    ['two in a row', '[name, email, salary, city]', ['email', 'salary'], '[name, city]'],
    ['the last two', '[name, email, salary, city]', ['salary', 'city'], '[name, email]'],
    ['the first two', '[name, email,\n      salary]', ['name', 'email'], '[\n      salary]'],
    ['some here and there', '[a, b, c, d, e, f]', ['b', 'd', 'e'], '[a, c, f]'],
    ['all but one', '[name, email, salary]', ['name', 'salary'], '[email]'],
    ['one behind a comma at the end', '[name, email,]', ['email'], '[name,]'],
    ['one in quotes, with the comment of the line kept', `['name', "email"]  # why`, ['email'], `['name']  # why`],
    ['a line of a list, with its comment', '\n      - name  # on the slip\n      - email  # for nothing\n      # below\n      - address.city', ['email'], '\n      - name  # on the slip\n      # below\n      - address.city'],
    ['a line of a list in brackets', '[\n      name, # on the slip\n      email, # for nothing\n      salary\n    ]', ['email'], '[\n      name, # on the slip\n      salary\n    ]'],
    ['the last line of a list in brackets', '[\n      name, # on the slip\n      email # for nothing\n    ]', ['email'], '[\n      name, # on the slip\n    ]'],
    ['one of a list over two lines', '[name, email,\n      salary]', ['salary'], '[name, email,\n      ]'],
    ['the last of its line', '[name, email,\n      salary]', ['email'], '[name,\n      salary]'],
    ['nothing', '[name]', [], '[name]'],
  ])('loses %s and nothing else', (_what, before, fields, after) => {
    expect(trim(before, ...fields)).toBe(after);
  });

  it('keeps line ends of Windows', () => {
    const text = (HEAD + entry('\n      - name\n      - email')).replaceAll('\n', '\r\n');
    expect(trimmedContract(text, FILE, [{ fact: 'x.PersonHired', fields: ['email'] }]).after).toBe(text.replace('      - email\r\n', ''));
  });

  it('is refused where more than the selection would change', () => {
    const shared = `${HEAD}${entry('&fields [name, email]')}${entry('*fields', 'x.PersonLeft')}`;
    const notEditable = expect.objectContaining({ code: 'trim.not-editable', kind: 'configuration' }) as Error;
    expect(() => trimmedContract(shared, FILE, [{ fact: 'x.PersonLeft', fields: ['email'] }])).toThrow(notEditable);
    expect(() => trimmedContract(shared, FILE, [{ fact: 'x.PersonHired', fields: ['email'] }])).toThrow(notEditable); // the other fact would lose it too
    expect(() => trim('[name]', 'name')).toThrow(notEditable);
  });
});

describe('a plan', () => {
  const planOf = async (select: string[], code: string) => {
    const tree = repository({ 'apps/pay/src/pay.ts': `import { projection } from 'factline/projections';\nimport { PersonHired } from './contracts.generated.js';\n${code}` }, contractOf(select));
    return (await planTrims(await landscapeOf(tree), tree))[0]!;
  };

  it('takes out what no code reads', async () => {
    const plan = await planOf(['personId', 'name', 'email', 'address.street'], 'projection({}).on(PersonHired, (_, { data }) => data.name);');
    expect(plan).toMatchObject({ trimmings: [{ fact: 'x.PersonHired', fields: ['email', 'address.street'] }], left: [], lost: [] });
    expect(plan.after).toBe(contractOf(['personId', 'name']));
  });

  it('leaves no selection empty, and says what else to do', async () => {
    const plan = await planOf(['name', 'email'], 'projection({}).on(PersonHired, () => null);');
    expect(plan).toMatchObject({ trimmings: [], left: [{ fact: 'x.PersonHired', reason: 'nothing-left', unread: ['name', 'email'] }] });
    expect(plan.after).toBe(plan.before);
    expect(await planOf(['personId', 'email'], 'projection({}).on(PersonHired, () => null);')).toMatchObject({ trimmings: [{ fields: ['email'] }], left: [] });
    expect(await planOf(['name'], '')).toMatchObject({ trimmings: [], left: [{ reason: 'unused' }] });
  });

  it('looks at the given apps only', async () => {
    const tree = repository({});
    expect(await planTrims(await landscapeOf(tree), tree, ['hr'])).toEqual([]);
  });
});
