import { acceptFinding } from './accept.js';
import { acceptancesOf } from './acceptances.js';
import { checkContracts } from './check.js';
import type { Finding } from './finding.js';
import { type Base, readLandscape } from './landscape.js';
import { ACCEPTANCE_RULES } from './rules/acceptance.js';
import { STYLE_RULES } from './rules/style.js';
import type { RuleId } from './rules.js';
import { APPS, FIELDS, FOLDERS, type Fields, type Files, files, tree } from './shop.spec.support.js';

const FILE = 'schemas/accepted.yaml';
const TODAY = '2026-11-21';
const EMAIL = { rule: 'field-removed', fact: 'shop.OrderPlaced', field: 'email', reason: 'nobody writes to customers', approvedBy: 'anna', until: '2026-12-31' } as const;

const without = (...names: string[]): Fields => Object.fromEntries(Object.entries(FIELDS).filter(([key]) => !names.includes(key)));
const documented = (fields: Fields): Fields => ({ ...fields, orderId: { field: { type: 'string', doc: 'Who asks for it again.' } } });
const now = (found: Files) => readLandscape(tree('working tree', found), FOLDERS);
const base = async (found: Files = files(), name = 'main'): Promise<Base> => ({ name, landscapes: [await readLandscape(tree(name, found), FOLDERS)] });

/** accepted.yaml as the command would write it. */
async function accepting(here: Files, bases: readonly Base[], request: Partial<Parameters<typeof acceptFinding>[3]> = {}): Promise<string> {
  const { text } = await acceptFinding(tree('working tree', here), await now(here), bases, { ...EMAIL, schemas: 'schemas', today: TODAY, ...request });
  return text;
}

/** Findings, without style; what is said of acceptances comes last. */
async function check(here: Files, bases: readonly Base[], accepted: string, today = TODAY): Promise<Finding[]> {
  const { findings } = checkContracts(await now(here), bases, { today, acceptances: acceptancesOf(accepted, FILE) });
  const [ofChanges, ofAcceptances] = [false, true].map((own) => findings.filter(({ rule }) => !Object.hasOwn(STYLE_RULES, rule) && Object.hasOwn(ACCEPTANCE_RULES, rule) === own));
  return [...ofChanges!, ...ofAcceptances!];
}

const told = (findings: readonly Finding[]) => findings.map(({ rule, field, severity, accepted }) => `${severity} ${rule} ${field}${accepted ? ' accepted' : ''}`);

describe('an accepted finding', () => {
  it('stays in the list, says who answers for it and until when, and nothing else is said', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    const accepted = await accepting(here, bases);
    const findings = await check(here, bases, accepted);
    expect(told(findings)).toEqual(['error field-removed email accepted']);
    expect(findings[0]!.accepted).toEqual({ reason: EMAIL.reason, approvedBy: 'anna', until: '2026-12-31' });
    expect(findings[0]!.consumers[0]).toMatchObject({ app: 'mailer', verdict: 'BROKEN' });
    expect(told(await check(here, bases, ''))).toEqual(['error field-removed email']);
  });

  it('is accepted on its last day, and not on the day after', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    const accepted = await accepting(here, bases);
    expect(told(await check(here, bases, accepted, '2026-12-31'))).toEqual(['error field-removed email accepted']);
    const after = await check(here, bases, accepted, '2027-01-01');
    expect(told(after)).toEqual(['error field-removed email', 'warning acceptance-expired email']);
    expect(after[1]).toMatchObject({ place: { file: FILE, line: 1, column: 3 }, message: 'field-removed was accepted until 2026-12-31 by anna: nobody writes to customers' });
  });

  it('is not accepted for longer than 400 days, whoever wrote the entry', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    const accepted = await accepting(here, bases, { until: '2027-12-26' });
    expect(told(await check(here, bases, accepted))).toEqual(['error field-removed email accepted']);
    expect(told(await check(here, bases, accepted, '2026-11-20'))).toEqual(['error field-removed email', 'error acceptance-too-long email']);
  });

  it('is one finding: not another field, not another rule', async () => {
    const bases = [await base()];
    const accepted = await accepting(files(without('email')), bases);
    const both = files(without('email', 'note'));
    expect(told(await check(both, bases, await accepting(both, bases)))).toEqual(expect.arrayContaining(['error field-removed email accepted', 'error field-removed note']));
    expect(told(await check(files({ ...FIELDS, email: 'int' }), bases, accepted))).toEqual(['error type-changed email', 'warning acceptance-unused email']);
  });

  it('may be a fact that is gone', async () => {
    const { 'schemas/shop/OrderPlaced.avsc': _gone, ...here } = files();
    const bases = [await base()];
    const accepted = await accepting(here, bases, { rule: 'fact-removed', field: '' });
    expect(accepted).toContain('to: gone');
    expect((await check(here, bases, accepted)).find(({ rule }) => rule === 'fact-removed')!.accepted).toBeDefined();
    const after = [await base({ 'schemas/shop/topic.yaml': files()['schemas/shop/topic.yaml']! })];
    expect(told(await check({ 'schemas/shop/topic.yaml': files()['schemas/shop/topic.yaml']! }, after, accepted))).toEqual(['info acceptance-unused ']);
  });
});

it('a removal that breaks nothing and was not announced can be accepted, too', async () => {
  const [here, bases] = [files(without('email')), [await base(files({ ...FIELDS, email: { field: { type: 'string', default: '' } } }))]];
  expect(told(await check(here, bases, ''))).toEqual(['warning removed-without-deprecation email']);
  const accepted = await accepting(here, bases, { rule: 'removed-without-deprecation' });
  expect(told(await check(here, bases, accepted))).toEqual(['warning removed-without-deprecation email accepted']);
});

describe('what comes later is not accepted', () => {
  it('another schema now, by a word of documentation', async () => {
    const bases = [await base()];
    const accepted = await accepting(files(without('email')), bases);
    const findings = await check(files(documented(without('email'))), bases, accepted);
    expect(told(findings)).toEqual(['error field-removed email', 'warning acceptance-unused email']);
    expect(findings[1]!.message).toMatch(/^It accepts the schema [0-9a-f]{16}; now it is [0-9a-f]{16}\.$/);
  });

  it('another schema before, by a word of documentation', async () => {
    const here = files(without('email'));
    const accepted = await accepting(here, [await base()]);
    const findings = await check(here, [await base(files(documented(FIELDS)))], accepted);
    expect(told(findings)).toEqual(['error field-removed email', 'warning acceptance-unused email']);
    expect(findings[1]!.message).toMatch(/^It accepts a change from [0-9a-f]{16}; found is one from [0-9a-f]{16}\.$/);
  });

  it('one more version that it is found against', async () => {
    const here = files(without('email'));
    const [main, prod] = [await base(), await base(files(documented(FIELDS)), 'prod')];
    const accepted = await accepting(here, [main]);
    expect(told(await check(here, [main, prod], accepted))).toContain('error field-removed email');
    expect(told(await check(here, [main, prod], await accepting(here, [main, prod])))).toEqual(['error field-removed email accepted']);
    expect(told(await check(here, [main], await accepting(here, [main, prod])))).toEqual(['error field-removed email accepted']);
  });

  it('one more app that it breaks', async () => {
    const here = files(without('email'));
    const accepted = await accepting(here, [await base()]);
    const more = { ...APPS, board: ['orderId', 'email'] };
    const findings = await check(here, [await base(files(FIELDS, more))], accepted);
    expect(told(findings)).toEqual(['error field-removed email', 'warning acceptance-unused email']);
    expect(findings[1]!.message).toBe('board is affected too, which it does not name.');
    const { mailer: _one, ...fewer } = APPS;
    expect(told(await check(files(without('email'), fewer), [await base(files(FIELDS, fewer))], accepted))).toEqual(['error field-removed email accepted']);
  });
});

describe('after the merge', () => {
  const merged = files(without('email'), { billing: ['total.cents'] });

  it('the schema that was accepted is the base: the entry is not needed here, and that is no fault', async () => {
    const accepted = await accepting(merged, [await base()]);
    const findings = await check(merged, [await base(merged)], accepted);
    expect(told(findings)).toEqual(['info acceptance-unused email']);
    expect(findings[0]!.message).toContain('it has done its work here');
  });

  it('versions before it are still there, and the entry still counts for them until it ends', async () => {
    const accepted = await accepting(merged, [await base()]);
    const bases = [await base(merged), await base(files(), 'lock')];
    expect(told(await check(merged, bases, accepted))).toEqual(['error field-removed email accepted']);
    expect(told(await check(merged, bases, accepted, '2027-01-01'))).toEqual(['error field-removed email', 'warning acceptance-expired email']);
  });

  it('and after the next one, it can go; a change of another fact does not fail over it', async () => {
    const accepted = await accepting(merged, [await base()]);
    const next = files(documented(without('email')), { billing: ['total.cents'] });
    expect(told(await check(next, [await base(merged)], accepted))).toEqual(['info acceptance-unused email']);
    const findings = await check(next, [await base(next)], accepted);
    expect(told(findings)).toEqual(['info acceptance-unused email']);
    expect(findings[0]!.message).toContain('It can go.');
  });

  it('control: an entry for nothing at all is a warning', async () => {
    const accepted = (await accepting(merged, [await base()])).replace('field: email', 'field: emial');
    const findings = await check(merged, [await base()], accepted);
    expect(told(findings)).toEqual(['error field-removed email', 'warning acceptance-unused emial']);
    expect(findings[1]!.message).toBe('Nothing is found for field-removed at emial.');
  });
});

describe('what can be accepted', () => {
  it('is what is found: the rest is refused, and what there is is listed', async () => {
    const [here, bases] = [files(without('email', 'note')), [await base()]];
    await expect(accepting(here, bases, { field: 'total' })).rejects.toMatchObject({ code: 'acceptance.nothing', kind: 'not-found', advice: expect.stringMatching(/field-removed --field 'email'.*field-removed --field 'note'/) as string });
    await expect(accepting(files(), bases)).rejects.toMatchObject({ code: 'acceptance.nothing', advice: expect.stringContaining('Nothing that can be accepted is found of shop.OrderPlaced') as string });
  });

  it('follows from two schemas', async () => {
    const here = files(FIELDS, { ...APPS, mailer: ['emial'] });
    await expect(accepting(here, [await base()], { rule: 'selects-unknown', field: 'emial' })).rejects.toMatchObject({ code: 'acceptance.invalid' });
  });

  it('has an end, from today to 400 days from now', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    for (const until of ['2026-11-20', '2027-12-27', '2027-02-29', '2027-2-1', 'soon', '']) {
      await expect(accepting(here, bases, { until })).rejects.toMatchObject({ code: 'acceptance.until', advice: 'Write a day from 2026-11-21 to 2027-12-26.' });
    }
    for (const until of ['2026-11-21', '2027-12-26']) expect(await accepting(here, bases, { until })).toContain(until);
  });

  it('is not accepted twice, and the entry that is there is named', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    const twice = { ...here, [FILE]: await accepting(here, bases) };
    await expect(accepting(twice, bases)).rejects.toMatchObject({ code: 'acceptance.exists', kind: 'conflict', message: 'It is in schemas/accepted.yaml:1 already, until 2026-12-31.' });
    const other = { ...twice, ...files(documented(without('email'))) };
    expect(acceptancesOf(await accepting(other, bases), FILE)).toHaveLength(2);
  });

  it('needs a reason and a name', async () => {
    const [here, bases] = [files(without('email')), [await base()]];
    for (const wrong of [{ reason: ' ' }, { approvedBy: '' }, { rule: 'no-such-rule' as RuleId }]) {
      await expect(accepting(here, bases, wrong)).rejects.toMatchObject({ code: expect.stringMatching(/^acceptance\.(invalid|nothing)$/) as string });
    }
  });
});
