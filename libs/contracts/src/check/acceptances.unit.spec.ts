import { type Acceptance, acceptancesOf, appended, readAcceptances } from './acceptances.js';
import { tree } from './shop.spec.support.js';

const FILE = 'schemas/accepted.yaml';
const ENTRY = { rule: 'field-removed', fact: 'shop.OrderPlaced', field: 'email', from: '0123456789abcdef', to: 'fedcba9876543210', apps: '[mailer]', reason: 'nobody writes to customers', approvedBy: 'anna', until: '2026-12-31' };

function yaml(changes: Record<string, string | undefined> = {}): string {
  const lines = Object.entries({ ...ENTRY, ...changes }).filter(([, value]) => value !== undefined);
  return `- ${lines.map(([key, value]) => `${key}: ${String(value)}`).join('\n  ')}\n`;
}

describe('accepted.yaml', () => {
  it('is a list of entries, each with its place', () => {
    expect(acceptancesOf(`# ours\n${yaml()}\n${yaml({ field: undefined, apps: undefined, to: 'gone', rule: 'fact-removed' })}`, FILE)).toEqual([
      { ...ENTRY, from: [ENTRY.from], apps: ['mailer'], place: { file: FILE, line: 2, column: 3 } },
      { ...ENTRY, rule: 'fact-removed', field: '', from: [ENTRY.from], to: 'gone', apps: [], place: { file: FILE, line: 12, column: 3 } },
    ]);
  });

  it('may hold nothing, or not be there', async () => {
    expect(acceptancesOf('', FILE)).toEqual([]);
    expect(acceptancesOf('# nothing yet\n', FILE)).toEqual([]);
    expect(acceptancesOf('[]\n', FILE)).toEqual([]);
    expect(await readAcceptances(tree('t', { 'schemas/x.avsc': '{}' }), 'schemas')).toEqual([]);
    expect(await readAcceptances(tree('t', { [FILE]: yaml() }), 'schemas')).toHaveLength(1);
  });

  it('takes a fingerprint that looks like a number for what it is', () => {
    const [found] = acceptancesOf(yaml({ from: '[1234567890123456, 12345678e0123456]' }), FILE);
    expect(found!.from).toEqual(['1234567890123456', '12345678e0123456']);
  });

  it.each<[string, string, string, string]>([
    ['no reason', yaml({ reason: undefined }), '$[0].reason', 'approvedBy'],
    ['an empty reason', yaml({ reason: '""' }), '$[0].reason', 'reason'],
    ['nobody who answers for it', yaml({ approvedBy: undefined }), '$[0].approvedBy', 'approvedBy'],
    ['no end', yaml({ until: undefined }), '$[0].until', 'until'],
    ['a day that does not exist', yaml({ until: '2027-02-29' }), '$[0].until', 'YYYY-MM-DD'],
    ['a day in other words', yaml({ until: '31.12.2026' }), '$[0].until', 'YYYY-MM-DD'],
    ['a time', yaml({ until: '2026-12-31T10:00:00Z' }), '$[0].until', 'YYYY-MM-DD'],
    ['one side only', yaml({ from: undefined }), '$[0].from', 'Each entry holds'],
    ['the other side only', yaml({ to: undefined }), '$[0].to', 'Each entry holds'],
    ['no fingerprint', yaml({ from: 'any' }), '$[0].from', 'contracts accept'],
    ['no fingerprint in a list', yaml({ from: `[${ENTRY.from}, "*"]` }), '$[0].from[1]', 'contracts accept'],
    ['an empty list of them', yaml({ from: '[]' }), '$[0].from', 'Each entry holds'],
    ['an empty field', yaml({ field: '""' }), '$[0].field', 'field'],
    ['apps that are no list', yaml({ apps: 'mailer' }), '$[0].apps', '[app, app]'],
    ['an unknown key', yaml({ untill: '2026-12-31' }), '$[0].untill', "Did you mean 'until'?"],
    ['an unknown rule', yaml({ rule: 'field-removd' }), '$[0].rule', "Did you mean 'field-removed'?"],
    ['a rule that depends on more than two schemas', yaml({ rule: 'tag-not-granted' }), '$[0].rule', 'A grant is written in contracts.yaml'],
    ['an object', 'accepted: []\n', '$', 'dash'],
    ['a text in the list', '- field-removed\n', '$[0]', 'rule, fact'],
  ])('with %s is refused with file and path', (_name, text, path, advice) => {
    expect(() => acceptancesOf(text, FILE)).toThrow(expect.objectContaining({ code: 'acceptance.invalid', kind: 'configuration', advice: expect.stringContaining(advice), details: expect.objectContaining({ file: FILE, path }) }));
  });

  it('is refused when it is no YAML, or says one thing twice', () => {
    expect(() => acceptancesOf('- {', FILE)).toThrow(expect.objectContaining({ code: 'declaration.unreadable' }));
    expect(() => acceptancesOf(`${yaml()}  rule: field-removed\n`, FILE)).toThrow(expect.objectContaining({ code: 'declaration.unreadable' }));
    expect(() => acceptancesOf(yaml() + yaml({ reason: 'another' }), FILE)).toThrow(expect.objectContaining({ code: 'acceptance.duplicate', details: { file: FILE, path: '$[1]' } }));
    expect(acceptancesOf(yaml() + yaml({ to: ENTRY.from }), FILE)).toHaveLength(2);
  });
});

describe('an entry that is added', () => {
  const entry: Omit<Acceptance, 'place'> = { rule: 'type-changed', fact: 'shop.OrderPlaced', field: 'lines[].sku', from: ['1234567890123456'], to: 'fedcba9876543210', apps: ['stock'], reason: 'a: "b" # c, and a reason that is so long that a writer of YAML would like to fold it into two lines', approvedBy: 'yes', until: '2026-12-31' };
  const there = `# Who accepts what.\n\n# asked on Monday\n- rule: 'field-removed'   # the last one\n  fact: "shop.OrderPlaced"\n  field: email\n  from: ${ENTRY.from}\n  to: ${ENTRY.to}\n  apps: [ mailer ]\n  reason: >-\n    folded\n    text\n  approvedBy: anna\n  until: 2026-12-31\n`;

  it('is read as it was meant', () => {
    expect(acceptancesOf(appended('', entry), FILE)).toMatchObject([entry]);
    expect(acceptancesOf(appended('[]\n', entry), FILE)).toMatchObject([entry]);
    expect(acceptancesOf(appended('# nothing yet\n', { ...entry, field: '', apps: [], from: [ENTRY.from, ENTRY.to] }), FILE)).toMatchObject([{ field: '', apps: [], from: [ENTRY.from, ENTRY.to] }]);
  });

  it('leaves every byte of the others alone', () => {
    const end = '\n# the end\n';
    const text = appended(there + end, entry);
    expect(text.startsWith(there)).toBe(true);
    expect(text.endsWith(end)).toBe(true);
    expect(acceptancesOf(text, FILE)).toMatchObject([{ field: 'email', reason: 'folded text' }, entry]);
    expect(appended('# nothing yet\n', entry)).toContain('# nothing yet\n');
  });

  it.each([
    ['indented', `  ${yaml().replaceAll('\n  ', '\n    ')}`],
    ['without a last line end', yaml().trimEnd()],
    ['in brackets', `[{${yaml().slice(2).trim().replaceAll(/\n +/g, ', ')}}]\n`],
    ['with line ends of Windows', yaml().replaceAll('\n', '\r\n')],
  ])('goes into a list that is %s', (_name, list) => {
    expect(acceptancesOf(list, FILE)).toHaveLength(1);
    expect(acceptancesOf(appended(list, { ...entry, reason: 'two\nlines' }), FILE)).toMatchObject([{ field: 'email' }, { ...entry, reason: 'two\nlines' }]);
  });
});
