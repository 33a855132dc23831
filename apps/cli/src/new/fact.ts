import { posix } from 'node:path';
import { type NewField, fieldsOf } from './field-option.js';
import { APPS, type Ground } from './ground.js';
import { withImport, withListItem } from './module-text.js';
import { entityFaults, entityOf, factFaults, fieldFaults, kebab, partsOfFact, sentence } from './names.js';
import { withItem } from './yaml-list.js';

export interface NewFact {
  key: string;
  entity?: string;
  field: string[];
  app?: string;
  doc?: string;
}

/** `factline new fact`: schema, topic where the entity is new, entry in the owner's contract, generated types. @returns what people do next. */
export async function newFact(ground: Ground, name: string, { key, entity: told, field, app: toldApp, doc }: NewFact): Promise<string[]> {
  ground.fault(...factFaults(name), ...fieldFaults(key));
  const { fields, faults } = fieldsOf(field, key);
  ground.fault(...faults);
  const { context, simple } = partsOfFact(name);
  const entity = told ?? entityOf(key);
  if (entity === undefined) ground.fault(`what ${key} is the key of cannot be told from its name: say --entity <entity>`);
  else ground.fault(...entityFaults(entity));
  ground.refuse(); // the rest depends on the names

  const folder = `${context.replaceAll('.', '/')}/${entity}`;
  const topicFile = posix.join(ground.schemas, folder, 'topic.yaml');
  const topic = ground.before.schemas.topics.get(`${context}.${entity}`);
  const app = toldApp ?? topic?.owner ?? ground.before.contracts.find((contract) => kebab(contract.app) === kebab(context))?.app;
  const contract = ground.before.contracts.find((each) => each.app === app);
  if (!contract) ground.fault(app === undefined ? `no app is called ${kebab(context)}: say --app <owner>, or make it with factline new app ${kebab(context)} --owner <team>` : `there is no ${APPS}/${app}/contracts.yaml: make the app with factline new app ${app} --owner <team>`);
  if (topic && topic.keyField !== key) ground.fault(`the key of ${topic.name} is ${topic.keyField}, not ${key}: ${topicFile} says so`);
  if (topic && app !== undefined && topic.owner !== app) ground.fault(`${topic.name} belongs to '${topic.owner}', not to '${app}': each topic has one owner`);
  if (!topic && ground.has(topicFile)) ground.fault(`${topicFile} is there already, and is that of another topic`);
  if (ground.before.schemas.facts.has(name)) ground.fault(`there is a fact ${name} already`);
  await ground.create(posix.join(ground.schemas, folder, `${simple}.avsc`), schemaText(simple, context, { key, entity: entity!, fields, doc: doc ?? `${sentence(simple)}.` }));
  ground.refuse();

  if (!topic) await ground.create(topicFile, topicText(`${context}.${entity}`, app!, key, entity!));
  await ground.change(contract!.file, withItem(await ground.workspace.read(contract!.file), 'produces', { lines: [name], flow: name }));
  const byHand = await stateIn(ground, app!, simple);
  return [
    ...(topic ? [] : [`look at ${topicFile} now: the number of partitions never changes later`]),
    `say in ${posix.join(ground.schemas, folder, `${simple}.avsc`)} what each field means, with its unit; mark personal ones: "confluent:tags": ["PII"]`,
    ...byHand,
    `state it in the transaction that makes it true: outbox.add(tx, ${simple}(${key}, { ... }))`,
    'factline contracts check; later, only fields with a default can be added',
  ];
}

interface SchemaParts {
  key: string;
  entity: string;
  fields: readonly NewField[];
  doc: string;
}

function schemaText(name: string, namespace: string, { key, entity, fields, doc }: SchemaParts): string {
  const schema = {
    type: 'record',
    name,
    namespace,
    doc,
    fields: [
      { name: 'meta', doc: 'Identity, order and origin of the fact.', type: 'factline.Meta' },
      { name: key, doc: `The ${entity.replaceAll(/[_-]/g, ' ')}, and the key of the topic.`, type: 'string' },
      ...fields.map((field) => ({ name: field.name, doc: field.doc, ...(field.optional ? { type: ['null', field.type], default: null } : { type: field.type }) })),
    ],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const topicText = (topic: string, owner: string, keyField: string, entity: string) => `# All facts about one ${entity.replaceAll(/[_-]/g, ' ')}, in order, kept forever.
name: ${topic}
owner: ${owner}
keyField: ${keyField}
partitions: 6          # never changes: a new count would move keys and break their order; it needs a new topic
kind: facts
retention: forever
settings:
  cleanup.policy: delete
  retention.ms: '-1'
  retention.bytes: '-1'
  message.timestamp.type: LogAppendTime
`;

/** Tells the app's module that it states the fact, or else says how to. */
async function stateIn(ground: Ground, app: string, simple: string): Promise<string[]> {
  const file = `${APPS}/${app}/src/${app}.module.ts`;
  const changed = ground.has(file) ? withListItem(await ground.workspace.read(file), 'produces', simple) : undefined;
  if (changed === undefined) return [`add ${simple}, from contracts.generated.js, to \`produces\` where ${app} calls FactlineModule`];
  await ground.change(file, withImport(changed, simple, './contracts.generated.js'));
  return [];
}
