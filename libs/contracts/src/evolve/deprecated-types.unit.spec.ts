import { parseContract } from '../contract-file.js';
import { generateContracts } from '../generate.js';
import { META_SCHEMA } from '../meta.js';
import type { AvroNode } from '../avro-json.js';
import type { DeclaredSchemas } from '../schemas.js';

const deprecated = { effective: '2026-11-21', removal: '2027-02-01', alternative: 'contact.mail', documentation: 'See */ the guide.' };
const TAG = '@deprecated since 2026-11-21, to be removed from 2027-02-01 on; use contact.mail instead. See * / the guide.';
const topic = { name: 'x.person', owner: 'x', keyField: 'personId', partitions: 1, kind: 'facts', settings: {} } as const;

function generated(annotation: { onFields?: object; onFact?: object }): string {
  const marked = annotation.onFields ? { deprecated: annotation.onFields } : {};
  const contact = { type: 'record', name: 'Contact', namespace: 'x', doc: 'How to reach somebody.', fields: [{ name: 'mail', type: 'string', doc: 'For letters.' }, { name: 'fax', type: 'string', ...marked }] };
  const schema = {
    type: 'record',
    name: 'PersonSeen',
    namespace: 'x',
    doc: 'Seen.',
    ...(annotation.onFact && { deprecated: annotation.onFact }),
    fields: [{ name: 'meta', type: META_SCHEMA }, { name: 'personId', type: 'string' }, { name: 'email', type: ['null', 'string'], default: null, doc: 'At work.', ...marked }, { name: 'contact', type: contact }],
  } as unknown as AvroNode;
  const schemas = { definitions: new Map(), topics: new Map([[topic.name, topic]]), facts: new Map([['x.PersonSeen', { factName: 'x.PersonSeen', file: 'x/PersonSeen.avsc', topic, schema }]]) } as unknown as DeclaredSchemas;
  return generateContracts(parseContract('app: x\nowner: t\nproduces: [x.PersonSeen]\nconsumes: [{fact: x.PersonSeen, purpose: p, select: [personId, email, contact]}]', 'apps/x/contracts.yaml', schemas));
}

it('fields that are deprecated say so where they are written and where they are read, in nested records, too', () => {
  const text = generated({ onFields: deprecated });
  const email = (optional: string) => `  /**\n   * At work.\n   * ${TAG}\n   */\n  email${optional}: string | null;\n`;
  const contact = (name: string) => `/** How to reach somebody. */\nexport interface ${name}Contact {\n  /** For letters. */\n  mail: string;\n  /**\n   * ${TAG}\n   */\n  fax: string;\n}\n`;
  expect(text).toContain(email('?'));
  expect(text).toContain(email(''));
  expect(text).toContain(contact('PersonSeenData'));
  expect(text).toContain(contact('PersonSeenSelection'));
  expect(text.match(/@deprecated/g)).toHaveLength(4);
  expect(generated({ onFields: deprecated })).toBe(text);
});

it('a fact that is deprecated says so at its types and at what makes and selects it', () => {
  const text = generated({ onFact: { effective: '2026-11-21', removal: '2027-02-01' } });
  const comment = (doc: string) => `/**\n * ${doc}\n * @deprecated since 2026-11-21, to be removed from 2027-02-01 on.\n */\n`;
  expect(text).toContain(`${comment('Seen.')}export interface PersonSeenData {`);
  expect(text).toContain(`${comment('Seen.')}export const PersonSeen = defineFact`);
  expect(text).toContain(`${comment('Seen.')}export interface PersonSeenSelection {`);
  expect(text).toContain(`${comment('Seen. Read here for: p')}export const PersonSeenSelected = selectFact`);
});

it('what readers select stays the same: no rebuild follows from a deprecation', () => {
  const reader = (text: string) => text.slice(text.indexOf('export const PersonSeenSelected'));
  expect(reader(generated({ onFields: deprecated }))).toBe(reader(generated({})));
  expect(generated({})).not.toContain('@deprecated');
});

it('an annotation that cannot be right is refused, with its place', () => {
  expect(() => generated({ onFields: { ...deprecated, removal: '2027-02-30' } })).toThrow(
    expect.objectContaining({ code: 'schema.deprecation-invalid', kind: 'configuration', details: expect.objectContaining({ file: 'x/PersonSeen.avsc', path: expect.stringMatching(/\.deprecated\.removal$/) as string }) as object }),
  );
});
