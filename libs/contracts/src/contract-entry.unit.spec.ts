import { selectInSpec } from 'factline/testing';
import type { SelectedFact } from './facts.js';
import { FactDecoder } from './index.js';

const schema = { type: 'record', name: 'PersonHired', namespace: 'x', fields: [{ name: 'personId', type: 'string' }] };
const selected = (factName: string, app = 'pay') => selectInSpec({ factName, topic: 'x.person', schema, fingerprint: 'f' }, app);
const decoder = (facts: readonly SelectedFact[], app?: string) => new FactDecoder(facts, { byId: () => Promise.reject(new Error('not called')) }, app);
const undeclared = (...facts: [string, string][]) =>
  expect.objectContaining({ code: 'contract.undeclared', kind: 'configuration', details: expect.objectContaining({ facts: facts.map(([fact, fault]) => ({ fact, fault: expect.stringContaining(fault) as string })) }) as object }) as Error;

describe('a selection', () => {
  it('that a contract declares is read (control), on whichever topic', () => {
    expect(() => decoder([selected('x.PersonHired')])).not.toThrow();
    expect(() => decoder([{ ...selected('x.PersonHired'), topic: 'another' }], 'pay')).not.toThrow();
  });

  it.each<[string, SelectedFact, string]>([
    ['written by hand', { ...selected('x.PersonHired'), contract: undefined as never }, 'not generated'],
    ['with a wider schema than was generated', { ...selected('x.PersonHired'), schema: { ...schema, fields: [...schema.fields, { name: 'email', type: 'string' }] } }, 'changed after'],
    ['of another fact under this name', { ...selected('x.PersonHired'), factName: 'x.PersonLeft' }, 'changed after'],
    ['moved to another app', { ...selected('x.PersonHired', 'hr'), contract: { ...selected('x.PersonHired', 'hr').contract, app: 'pay' } }, 'changed after'],
    ['of another app', selected('x.PersonHired', 'hr'), "generated for 'hr'"],
  ])('%s is not', (_what, fact, fault) => {
    expect(() => decoder([fact], 'pay')).toThrow(undeclared([fact.factName, fault]));
  });

  it('is refused together with all others, the app and the command named', () => {
    const byHand = { ...selected('x.PersonLeft'), contract: undefined as never };
    const facts = [selected('x.PersonHired'), byHand, selected('x.PersonMoved', 'hr')];
    expect(() => decoder(facts, 'pay')).toThrow(undeclared(['x.PersonLeft', 'not generated'], ['x.PersonMoved', "for 'hr'"]));
    expect(() => decoder(facts, 'pay')).toThrow(/'pay'.*x\.PersonLeft.*x\.PersonMoved/);
    expect(() => decoder(facts, 'pay')).toThrow(expect.objectContaining({ advice: expect.stringMatching(/apps\/pay\/contracts\.yaml.*npx factline contracts gen/) as string }));
    expect(() => decoder([byHand])).toThrow(expect.objectContaining({ advice: expect.stringContaining('apps/<app>/contracts.yaml') as string }));
  });
});
