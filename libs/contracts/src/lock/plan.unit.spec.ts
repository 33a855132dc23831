import type { CompatibilityLevel } from '../facts.js';
import type { DeclaredFact } from '../schemas.js';
import { type Declaration, factOf, factsOf, optional } from './declared.spec.support.js';
import { isLower } from '../levels.js';
import { normalForm } from './normal-form.js';
import { type PlannedSubject, type SubjectState, planSubject } from './plan.js';

const required = { name: 'amount', type: 'long' };
const first = await factOf('shop');
const noted = await factOf('shop', { fields: [optional('note')] });
const broken = await factOf('shop', { fields: [required] });
const at = (level: CompatibilityLevel, declaration: Declaration = {}): Promise<DeclaredFact> => factOf('shop', { ...declaration, level });

/** What a registry has that enforces FULL_TRANSITIVE, its own level, and accepts everything. */
const state = (versions: readonly DeclaredFact[], more: Partial<SubjectState> = {}): SubjectState => ({
  own: 'FULL_TRANSITIVE',
  enforced: 'FULL_TRANSITIVE',
  accepted: true,
  ...(versions.length > 0 && { registered: { versions: versions.map(({ schema }, index) => ({ version: index + 1, id: index + 1, schema: normalForm(schema) })) } }),
  ...more,
});
const said = ({ level, version, refusals, disagreement }: PlannedSubject) => ({ ...(level && { level }), ...(version && { version }), refusals, ...(disagreement && { disagreement }) });

describe('a plan', () => {
  it('has nothing to do for what is registered, in whatever words', () => {
    const reworded = { ...first, schema: { ...first.schema, name: 'shop.Happened', namespace: undefined } as never };
    expect(said(planSubject(first, state([first])))).toEqual({ refusals: [] });
    expect(said(planSubject(reworded, state([first])))).toEqual({ refusals: [] });
    expect(said(planSubject(first, state([first, noted])))).toEqual({ refusals: [] }); // an older version is registered, too
  });

  it('sets a level before the first version, and registers it', () => {
    expect(said(planSubject(first, state([], { own: undefined, enforced: 'NONE' })))).toEqual({ level: { from: undefined, to: 'FULL_TRANSITIVE' }, version: { number: 1, news: 'first' }, refusals: [] });
  });

  it('makes an inherited level the own one, so that a later change of the other does not reach it', () => {
    expect(said(planSubject(first, state([first], { own: undefined })))).toEqual({ level: { from: undefined, to: 'FULL_TRANSITIVE' }, refusals: [] });
  });

  it('tells documentation from the contract', async () => {
    expect(said(planSubject(noted, state([first])))).toEqual({ version: { number: 2, news: 'contract' }, refusals: [] });
    expect(said(planSubject(await factOf('shop', { doc: 'In other words.' }), state([first])))).toEqual({ version: { number: 2, news: 'documentation' }, refusals: [] });
  });

  it('refuses what any registered version forbids, and says which', async () => {
    const again = await factOf('shop', { fields: [{ name: 'note', type: 'long', default: 0 }] });
    const { refusals } = planSubject(again, state([noted, first], { accepted: false }));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.filter((refusal) => !/^note: .* Against version 1\.$/.test(refusal))).toEqual([]);
    expect(planSubject(again, state([first], { accepted: true })).refusals).toEqual([]); // control: without that version nothing forbids it
  });

  it('refuses when both say no, and takes the level into account that will be', async () => {
    expect(planSubject(broken, state([first], { accepted: false }))).toMatchObject({ refusals: [expect.stringContaining('amount') as string] });
    expect(planSubject(broken, state([first], { accepted: false }))).not.toHaveProperty('disagreement');
    expect(planSubject(broken, state([first], { own: 'NONE', enforced: 'NONE', accepted: true }))).toMatchObject({ level: { from: 'NONE', to: 'FULL_TRANSITIVE' }, refusals: [expect.stringContaining('amount') as string] });
    expect(said(planSubject(await at('FORWARD', { fields: [required] }), state([first], { accepted: false }), { lowerLevel: true }))).toEqual({
      level: { from: 'FULL_TRANSITIVE', to: 'FORWARD' },
      version: { number: 2, news: 'contract' },
      refusals: [], // the registry says no under the level that it is about to leave, and so does the check here
    });
  });

  it('says where the registry and the check differ, and refuses either way', () => {
    expect(planSubject(noted, state([first], { accepted: false }))).toMatchObject({ disagreement: 'The registry refuses it under FULL_TRANSITIVE; the check here finds nothing.', refusals: ['The registry would refuse it.'] });
    expect(planSubject(broken, state([first], { accepted: true }))).toMatchObject({ disagreement: 'The registry would accept it under FULL_TRANSITIVE; the check here does not.', refusals: [expect.stringContaining('amount') as string] });
  });

  it('refuses what Java reads and this library does not, without calling it a difference', async () => {
    const [other] = await factsOf('store', { Happened: {} });
    const moved = planSubject({ ...other!, factName: 'shop.Happened' }, state([first]));
    expect(moved.refusals.join()).toMatch(/Against version 1/);
    expect(moved).not.toHaveProperty('disagreement');
  });

  it('passes on why the registry finds a schema invalid, and does nothing to what it cannot compare', () => {
    expect(planSubject(noted, state([first], { accepted: 'It is invalid.' }))).toMatchObject({ refusals: ['It is invalid.'] });
    expect(said(planSubject(noted, state([], { leftOut: 'version 1 is JSON, not Avro' })))).toEqual({ refusals: ['What is registered cannot be compared: version 1 is JSON, not Avro.'] });
  });

  it.each<[CompatibilityLevel, CompatibilityLevel, boolean]>([
    ['BACKWARD', 'FULL_TRANSITIVE', true],
    ['FULL', 'FULL_TRANSITIVE', true],
    ['FULL', 'BACKWARD_TRANSITIVE', true],
    ['FORWARD', 'BACKWARD', true],
    ['NONE', 'FORWARD', true],
    ['FULL_TRANSITIVE', 'FULL', false],
    ['FULL', 'BACKWARD', false],
    ['BACKWARD_TRANSITIVE', 'BACKWARD', false],
    ['BACKWARD', 'NONE', false],
  ])('%s after %s: lower is %s, and needs to be asked for', async (to, from, lower) => {
    expect(isLower(to, from)).toBe(lower);
    const fact = await at(to);
    const registered = state([first], { own: from, enforced: from });
    expect(planSubject(fact, registered)).toMatchObject({ level: { from, to }, refusals: lower ? [expect.stringContaining('--lower-level') as string] : [] });
    expect(planSubject(fact, registered, { lowerLevel: true }).refusals).toEqual([]);
  });

  it('lowers nothing where nothing was set: a new subject takes the level that is declared', async () => {
    expect(planSubject(await at('BACKWARD'), state([], { own: undefined, enforced: 'FULL_TRANSITIVE' })).refusals).toEqual([]);
    expect(planSubject(await at('BACKWARD'), state([first], { own: undefined, enforced: 'FULL_TRANSITIVE' })).refusals).toHaveLength(1);
  });
});
