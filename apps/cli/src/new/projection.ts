import type { Landscape } from 'factline/contracts/check';
import { CONFIG_FILE } from '../config.js';
import { type Column, columnOf } from './column.js';
import { APPS, type Ground } from './ground.js';
import { withImport, withListItem } from './module-text.js';
import { camel, kebab, partsOfFact, pascal, projectionFaults } from './names.js';
import { type FoldedFact, type ProjectionParts, controllerFile, projectionFile, projectionSpec } from './projection-templates.js';
import { withItem } from './yaml-list.js';

export interface NewProjection {
  app: string;
  of: string;
  select: string;
  purpose: string;
  grant?: string;
  /** false: no controller. */
  controller: boolean;
}

type Fact = Landscape['schemas']['facts'] extends ReadonlyMap<string, infer F> ? F : never;

const listOf = (text: string) => [...new Set(text.split(',').map((part) => part.trim()).filter(Boolean))];

/** `factline new projection`: what its app selects and why, the fold, its spec, a route, and where they are registered. @returns what people do next. */
export async function newProjection(ground: Ground, name: string, { app, of, select, purpose, grant = '', controller }: NewProjection): Promise<string[]> {
  ground.fault(...projectionFaults(name));
  for (const tag of listOf(grant)) if (!/^\w+(\.\w+)*$/.test(tag)) ground.fault(`--grant ${tag} is no tag: PII, or PII.pay`);
  if (purpose.trim() === '' || /[\r\n]/.test(purpose) || purpose.includes('*/')) ground.fault('--purpose is one line that says why the app keeps it');
  const contract = ground.before.contracts.find((each) => each.app === app);
  if (!contract) ground.fault(`there is no ${APPS}/${app}/contracts.yaml: make the app with factline new app ${app} --owner <team>`);
  if (!ground.config || !Object.hasOwn(ground.config.apps, app)) ground.fault(`${CONFIG_FILE} has no app '${app}'`);
  const facts = factsOf(ground, listOf(of));
  const parts = partsOf(ground, { name, purpose: purpose.trim(), facts, fields: listOf(select), states: (fact) => contract?.produces.some((produced) => produced.name === fact) ?? false });
  const source = `${APPS}/${app}/src`;
  const file = kebab(name);
  if (parts) {
    await ground.create(`${source}/${file}.projection.ts`, projectionFile(parts));
    await ground.create(`${source}/${file}.projection.unit.spec.ts`, projectionSpec(parts));
    if (controller) await ground.create(`${source}/${file}.controller.ts`, controllerFile(parts));
  }
  for (const fact of contract ? facts : []) refuseOtherSelection(ground, contract!, fact, fieldsFrom(fact, listOf(select)));
  ground.refuse();

  let text = await ground.workspace.read(contract!.file);
  for (const fact of facts) {
    if (contract!.consumes.some((entry) => entry.fact === fact.factName)) continue;
    text = withItem(text, 'consumes', entryOf(fact.factName, fieldsFrom(fact, listOf(select)), purpose.trim(), listOf(grant)));
  }
  await ground.change(contract!.file, text);
  const byHand = await register(ground, app, name, controller);
  await declare(ground, app, `dist/${source}/${file}.projection.js`);
  return [
    `read each fold in ${source}/${file}.projection.ts: the first fact makes the row, the others change it${parts!.facts.some(({ columns }, at) => at > 0 && columns.length === 0) ? ', and one that brings nothing but the key ends it' : ''}`,
    ...byHand,
    'factline contracts check; build, and run the spec in the folder that has the schemas',
    `it fills itself from offset zero at the first start; a change of what it means is a new version: factline replay run ${name} --app ${app}`,
  ];
}

/** The named facts, which are of one topic: a read model has one row a key. */
function factsOf(ground: Ground, names: readonly string[]): Fact[] {
  const { facts } = ground.before.schemas;
  if (names.length === 0) ground.fault('--of names no fact');
  const found = names.flatMap((name) => {
    const known = facts.get(name) ?? only([...facts.values()].filter(({ factName }) => partsOfFact(factName).simple === name));
    if (!known) ground.fault(`there is no fact ${name}${facts.size > 0 ? `; there are ${[...facts.keys()].join(', ')}` : ': declare it with factline new fact'}`);
    return known ?? [];
  });
  const topics = [...new Set(found.map(({ topic }) => topic.name))];
  if (topics.length > 1) ground.fault(`--of names facts of ${topics.join(' and ')}: a projection has one row a key, of one topic`);
  return found;
}

const only = <T>(all: readonly T[]) => (all.length === 1 ? all[0] : undefined);

/** What is selected of one fact: its key, and those of the fields that it has. */
function fieldsFrom({ schema, topic }: Fact, fields: readonly string[]): string[] {
  return [topic.keyField, ...fields.filter((field) => field !== topic.keyField && schema.fields!.some(({ name }) => name === field))];
}

interface Asked {
  name: string;
  purpose: string;
  facts: readonly Fact[];
  fields: readonly string[];
  states(fact: string): boolean;
}

function partsOf(ground: Ground, { name, purpose, facts, fields, states }: Asked): ProjectionParts | undefined {
  for (const field of fields) if (facts.length > 0 && !facts.some(({ schema }) => schema.fields!.some((each) => each.name === field && field !== 'meta'))) ground.fault(`--select ${field}: no field of ${facts.map(({ factName }) => factName).join(', ')}`);
  const columns = new Map<string, Column>();
  const folded = facts.map((fact, at): FoldedFact => {
    const own = fieldsFrom(fact, fields).slice(1).flatMap((field) => {
      const column = columnOf(field, fact.schema.fields!.find((each) => each.name === field)!.type);
      if (!column) ground.fault(`--select ${field}: what a column holds of it is for you to say; leave it out, and add it to contract, columns and fold by hand`);
      const known = column && columns.get(column.name);
      if (known && known.type !== column.type) ground.fault(`--select ${field}: it is ${known.type} in one fact and ${column.type} in ${fact.factName}`);
      if (column && !known) columns.set(column.name, { ...column, nullable: column.nullable || at > 0 });
      return column ?? [];
    });
    const { simple } = partsOfFact(fact.factName);
    return { variable: states(fact.factName) ? `${simple}Selected` : simple, keyField: fact.topic.keyField, columns: own };
  });
  const [first, ...others] = folded;
  if (!first) return undefined;
  const key = columnOf(first.keyField, 'string')!;
  if (columns.has(key.name)) ground.fault(`two columns would be called ${key.name}`);
  return { name, purpose, key, columns: [...columns.values()], facts: [first, ...others] };
}

function refuseOtherSelection(ground: Ground, contract: Landscape['contracts'][number], { factName }: Fact, fields: readonly string[]): void {
  const entry = contract.consumes.find(({ fact }) => fact === factName);
  if (!entry || entry.select === '*') return;
  const selected = entry.select.map(({ field }) => field);
  const missing = fields.filter((field) => !selected.includes(field));
  if (missing.length > 0) ground.fault(`${contract.file} selects ${factName} already, without ${missing.join(', ')}: add ${missing.length === 1 ? 'it' : 'them'} there first`);
}

function entryOf(fact: string, fields: readonly string[], purpose: string, grants: readonly string[]) {
  const said = /^[A-Za-z][\w ,;.()'-]*[ .][\w ,;.()'-]*$/.test(purpose) ? purpose : JSON.stringify(purpose);
  const granted = grants.length > 0 ? [`grants: [${grants.join(', ')}]`] : [];
  const pairs = [`fact: ${fact}`, `select: [${fields.join(', ')}]`, `purpose: ${said}`, ...granted];
  return { lines: pairs, flow: `{ ${[pairs[0], pairs[1], `purpose: ${JSON.stringify(purpose)}`, ...granted].join(', ')} }` };
}

/** Registers it with the app's module, or else says how to. */
async function register(ground: Ground, app: string, name: string, controller: boolean): Promise<string[]> {
  const file = `${APPS}/${app}/src/${app}.module.ts`;
  const provider = `provideProjection(${camel(name)})`;
  const route = `${pascal(name)}Controller`;
  let text = ground.has(file) ? withListItem(await ground.workspace.read(file), 'providers', provider) : undefined;
  if (text !== undefined && controller) text = withListItem(text, 'controllers', route);
  if (text === undefined) return [`add ${provider} to the providers of ${app}'s module${controller ? `, and ${route} to its controllers` : ''}`];
  text = withImport(withImport(text, 'provideProjection', 'factline/nest'), camel(name), `./${kebab(name)}.projection.js`);
  await ground.change(file, controller ? withImport(text, route, `./${kebab(name)}.controller.js`) : text);
  return [];
}

async function declare({ workspace, config }: Ground, app: string, module: string): Promise<void> {
  const draft = await workspace.draft(CONFIG_FILE);
  const count = config!.apps[app]!.projections?.length;
  if (count === undefined) draft.addMember(`$.apps.${app}`, 'projections', [module], 'main');
  else if (count > 0) draft.addItemAfter(`$.apps.${app}.projections[${count - 1}]`, module);
  else draft.replaceText(`$.apps.${app}.projections`, JSON.stringify([module]));
}
