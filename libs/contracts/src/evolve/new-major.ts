import { posix } from 'node:path';
import { type AvroJson, eachDefinition, fullNameOf, innerOf, isNamed, isPrimitive, namespaceOf, qualify, simpleNameOf } from '../avro-json.js';
import { soundDeprecation } from './annotation.js';
import { type Scene, annotate, refusePast } from './deprecate.js';
import { Draft } from './draft.js';
import { FactFields } from '../fact-fields.js';
import { fileOf, unknownFact } from './target.js';
import type { TopicDeclaration } from '../facts.js';
import type { DeclaredFact } from '../schemas.js';

/** Begins a new major version of a fact, or of all facts of a topic: another topic, namespace and subject, bound by nothing that was before. */
export interface NewMajor {
  readonly kind: 'new-major';
  /** `hr.EmployeeCreated`, or a topic: `hr.employee`. */
  readonly target: string;
  /** The day from which on the old one is not stated any more. */
  readonly sunset: string;
}

/** Names of the next major version: folder `hr/employee/v2`, topic and namespace `hr.employee.v2`, fact `hr.employee.v2.EmployeeCreatedV2`. */
class Major {
  readonly version: number;
  readonly folder: string;
  readonly #from: string;

  constructor(folder: string) {
    const current = /^(.*)\/v(\d+)$/.exec(folder);
    this.version = current ? Number(current[2]) + 1 : 2;
    this.folder = `${current?.[1] ?? folder}/v${this.version}`;
    this.#from = `${this.version - 1}`;
  }

  topic(name: string): string {
    return `${name.replace(new RegExp(`\\.v${this.#from}$`), '')}.v${this.version}`;
  }

  /** That of the folder, when the one before was a part of it (hr of hr/employee): a namespace says where its files are. */
  namespace(name: string): string {
    const folder = posix.dirname(this.folder).replaceAll('/', '.').replaceAll(/[^A-Za-z0-9_.]/g, '_');
    return this.topic(folder.startsWith(`${name}.`) ? folder : name);
  }

  /** The number is in the name of the record, too: that is what generated code calls it, and an app states both for a while. */
  record(name: string): string {
    return `${name.replace(new RegExp(`V${this.#from}$`), '')}V${this.version}`;
  }
}

/** @returns what people have to do next. */
export async function newMajor(scene: Scene, { target, sunset }: NewMajor): Promise<string[]> {
  refusePast(sunset, scene.today);
  const { landscape, workspace, folders } = scene;
  const { facts } = landscape.schemas;
  const chosen = facts.has(target) ? [facts.get(target)!] : [...facts.values()].filter(({ topic }) => topic.name === target);
  const [first] = chosen;
  if (!first) throw unknownFact(target, [...facts.keys(), ...landscape.schemas.topics.keys()]);
  const folder = posix.dirname(first.file);
  const major = new Major(folder);
  const names = renamed(scene, chosen, major);
  for (const fact of chosen) {
    await workspace.create(fileOf(folders, posix.join(major.folder, `${simpleNameOf(names.get(fact.factName)!)}.avsc`)), await copied(scene, fact, names, major));
    await annotate(scene, { fact, fields: new FactFields(landscape.schemas, fact), field: undefined }, { effective: scene.today, removal: sunset, alternative: names.get(fact.factName)! });
    for (const { file, produces } of landscape.contracts) {
      const entry = produces.find(({ name }) => name === fact.factName);
      if (entry) (await workspace.draft(file)).addItemAfter(entry.path, names.get(fact.factName)!);
    }
  }
  await declareTopic(scene, first.topic, folder, major);
  return stepsAfter(scene, chosen, names, major, sunset);
}

/** Every name that is defined in the copied files, with what it is called in the copies. */
function renamed({ landscape }: Scene, chosen: readonly DeclaredFact[], major: Major): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { factName } of chosen) {
    eachDefinition(landscape.schemas.definitions.get(factName)!.node, (fullName) => {
      const simple = simpleNameOf(fullName);
      names.set(fullName, `${major.namespace(namespaceOf(fullName))}.${fullName === factName ? major.record(simple) : simple}`);
    });
  }
  return names;
}

/** The text of a fact's file with the names of the next version; what is defined elsewhere is named in full, since the namespace around it is another. */
async function copied({ workspace, landscape, folders }: Scene, { factName, file }: DeclaredFact, names: ReadonlyMap<string, string>, major: Major): Promise<string> {
  const draft = new Draft(file, (await workspace.draft(fileOf(folders, file))).before);
  const visit = (type: AvroJson | undefined, path: string, around: string): void => {
    if (typeof type === 'string') {
      const fullName = qualify(type, around);
      const name = names.get(fullName) ?? fullName;
      if (!isPrimitive(type) && qualify(type, major.namespace(around)) !== name) draft.replaceText(path, name);
    } else if (Array.isArray(type)) type.forEach((branch, at) => visit(branch, `${path}[${at}]`, around));
    else if (type && isNamed(type)) {
      const fullName = fullNameOf(type, around)!;
      const name = names.get(fullName)!;
      if (type.name!.includes('.')) draft.replaceText(`${path}.name`, name);
      else if (type.name !== simpleNameOf(name)) draft.replaceText(`${path}.name`, simpleNameOf(name));
      if (type.namespace !== undefined) draft.replaceText(`${path}.namespace`, major.namespace(type.namespace));
      type.fields?.forEach((field, at) => visit(field.type, `${path}.fields[${at}].type`, namespaceOf(fullName)));
    } else if (type) {
      const inner = innerOf(type) ?? { type: type.type, key: 'type' };
      visit(inner.type, `${path}.${inner.key}`, around);
    }
  };
  visit(landscape.schemas.definitions.get(factName)!.node, '$', '');
  return draft.after;
}

/** The topic of the next version, as the one before; facts that go later find it there. */
async function declareTopic({ workspace, folders }: Scene, { name }: TopicDeclaration, folder: string, major: Major): Promise<void> {
  const file = fileOf(folders, posix.join(major.folder, 'topic.yaml'));
  if ((await workspace.list(posix.dirname(file))).includes(file)) return;
  const from = fileOf(folders, posix.join(folder, 'topic.yaml'));
  const draft = new Draft(file, await workspace.read(from));
  draft.replaceText('$.name', major.topic(name));
  await workspace.create(file, draft.after);
}

function stepsAfter({ landscape, folders }: Scene, chosen: readonly DeclaredFact[], names: ReadonlyMap<string, string>, major: Major, sunset: string): string[] {
  const [{ topic }] = chosen as [DeclaredFact];
  const { owner, name } = topic;
  const left = [...landscape.schemas.facts.values()].filter((fact) => fact.topic.name === name && !chosen.includes(fact)).map(({ factName }) => simpleNameOf(factName));
  const outdated = chosen.flatMap((fact) => [...new FactFields(landscape.schemas, fact).below()].filter(({ field }) => soundDeprecation(field)).map(({ path }) => `${simpleNameOf(fact.factName)}.${path}`));
  const created = chosen.map(({ factName }) => names.get(factName)!);
  return [
    `Edit the schemas in ${fileOf(folders, major.folder)} now: until they are merged nothing binds them.${outdated.length > 0 ? ` Deprecated, so leave it out there: ${outdated.join(', ')}.` : ''}`,
    ...(left.length > 0 ? [`A read model folds one topic, and ${left.join(', ')} stay${left.length === 1 ? 's' : ''} in ${name}. To take all along: factline contracts new-major ${name} --sunset ${sunset}`] : []),
    `${owner} states both until ${sunset}: each time the old fact, and in the same transaction ${created.join(', ')}.`,
    `${owner} fills ${major.topic(name)}, which begins empty: it reads its history from offset zero once, or its own tables, and states the new facts of it.`,
    `Apps consume ${created.join(', ')} with a new version of their projections, rebuild them (factline replay run), and drop the old entries before ${sunset}.`,
    `From ${sunset} on ${owner} stops stating the old ones. Their files stay: their facts stay on ${name}.`,
  ];
}
