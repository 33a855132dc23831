import type { AvroNode } from './avro-json.js';
import { parseContract } from './contract-file.js';
import { generateContracts } from './generate.js';
import type { DeclaredSchemas } from './schemas.js';
import { parseSettings } from './settings.js';

const meta = { name: 'meta', type: { type: 'record', name: 'Meta', namespace: 'factline', fields: [] } };
const declared = (factName: string, kind: 'facts' | 'commands') => {
  const [namespace, name] = factName.split('.') as [string, string];
  const schema = { type: 'record', name, namespace, fields: [meta, { name: 'customerId', type: 'string' }, { name: 'text', type: 'string' }] } as unknown as AvroNode;
  const topic = { name: `${namespace}.${kind}`, owner: namespace, keyField: 'customerId', partitions: 2, kind, settings: {} } as const;
  return [factName, { factName, file: `${factName}.avsc`, topic, schema }] as const;
};
const facts = new Map([declared('post.SendMail', 'commands'), declared('post.MailSent', 'facts')]);
const schemas: DeclaredSchemas = { settings: parseSettings(undefined, { facts: [], types: [] }), definitions: new Map(), topics: new Map([...facts.values()].map(({ topic }) => [topic.name, topic])), facts };
const contract = (app: string, body: string) => parseContract(`app: ${app}\nowner: t\n${body}`, `apps/${app}/contracts.yaml`, schemas);
const selected = (name: string) => `consumes: [{fact: ${name}, purpose: p, select: [customerId, text]}]`;

it('an owner that sends to its own queue gets a write type of commands, and a read type that names the owner', () => {
  const text = generateContracts(contract('post', `produces: [post.SendMail]\n${selected('post.SendMail')}`));
  expect(text).toContain("import { defineCommand, selectCommand } from 'factline/commands';\nimport { type TopicDeclaration } from 'factline/contracts';\n");
  expect(text).toContain("export const SendMail = defineCommand<SendMailData, 'customerId'>({");
  expect(text).toContain('export const SendMailSelected = selectCommand<SendMailSelection>({');
  expect(text).toContain("  owner: 'post',\n");
});

it('facts beside commands are facts still', () => {
  const text = generateContracts(contract('post', `produces: [post.MailSent]\n${selected('post.SendMail')}`));
  expect(text).toContain("import { selectCommand } from 'factline/commands';\nimport { type TopicDeclaration, defineFact } from 'factline/contracts';\n");
  expect(text).toContain("export const MailSent = defineFact<MailSentData, 'customerId'>({");
  expect(text).toContain('export const SendMail = selectCommand<SendMailSelection>({');
});

it('any app may send a command, and only its owner may handle it; a fact has one producer and any reader', () => {
  expect(contract('shop', 'produces: [post.SendMail]').produces).toHaveLength(1);
  expect(() => contract('shop', selected('post.SendMail'))).toThrow(expect.objectContaining({ code: 'contract.foreign-command', details: expect.objectContaining({ path: '$.consumes[0].fact', owner: 'post' }) as object }));
  expect(() => contract('shop', 'produces: [post.MailSent]')).toThrow(expect.objectContaining({ code: 'contract.foreign-topic' }));
  expect(contract('shop', selected('post.MailSent')).consumes).toHaveLength(1);
});
