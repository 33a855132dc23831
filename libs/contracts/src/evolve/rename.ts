import { FactlineError } from 'factline/kernel';
import { type AvroJson, aliasesOf, fullNameOf, isNamed, namespaceOf, withTypes } from '../avro-json.js';
import { plain, related } from '../check/finding.js';
import { bindsOldReaders, levelOf } from '../levels.js';
import { type Scene, annotate, refusePast, removalStep } from './deprecate.js';
import { type FactField, FactFields } from '../fact-fields.js';
import { type Target, fileOf, refuseFixed, targetOf } from './target.js';

/** Gives a field another name: beside the old one until `sunset`, or at once with an alias. */
export interface Rename {
  readonly kind: 'rename';
  /** `hr.EmployeeCreated.email` */
  readonly target: string;
  /** The new name of the field, without the path to it. */
  readonly to: string;
  readonly sunset?: string;
  /** The rename at once: only where old software need not read new facts. */
  readonly alias?: boolean;
}

/** @returns what people have to do next. */
export async function rename(scene: Scene, { target: name, to, sunset, alias }: Rename): Promise<string[]> {
  const target = targetOf(scene.landscape, name);
  const { fact, field } = target;
  if (!field) throw new FactlineError({ code: 'evolve.field-expected', kind: 'invalid', message: `${name} is a fact: its name is its subject, and stays.`, advice: `For another name of the fact: factline contracts new-major ${name} --sunset <date>.` });
  refuseFixed(target);
  refuseName(to, field);
  if (alias) return renameAtOnce(scene, { ...target, field }, to);
  if (sunset === undefined) throw new FactlineError({ code: 'evolve.sunset', kind: 'invalid', message: `A rename needs the day until which ${plain(field.path)} stays.`, advice: 'Add --sunset <date>.' });
  refusePast(sunset, scene.today);
  const draft = await scene.workspace.draft(fileOf(scene.folders, field.record.file));
  draft.addItemAfter(field.jsonPath, parallel(field, to));
  await annotate(scene, target, { effective: scene.today, removal: sunset, alternative: to });
  const path = plain(field.path);
  const renamed = path.slice(0, path.lastIndexOf('.') + 1) + to;
  return [
    `${fact.topic.owner} states both from now on: ${renamed} as well as ${path}.`,
    `Apps select both and read ${renamed}, or ${path} where it is null: facts stated before today have ${path} alone.`,
    `Before ${sunset}, ${fact.topic.owner} states once more what was stated without ${renamed}, and apps stop selecting ${path}: a rebuild from offset zero then finds ${renamed}.`,
    removalStep(target, sunset),
  ];
}

/** The field under its new name. Facts that lack it are read as null; a type that is defined in the old field is named here, since it can be defined once only. */
function parallel({ field, record }: FactField, name: string): object {
  const written = record.node.fields!.find((each) => each.name === field.name)!;
  return Object.fromEntries(
    Object.entries(written).flatMap(([key, value]): [string, unknown][] => {
      if (key === 'name') return [[key, name]];
      if (key === 'type') return [[key, nullable(byName(value as AvroJson, namespaceOf(record.fullName)))], ['default', null]];
      return ['default', 'aliases', 'deprecated'].includes(key) ? [] : [[key, value]];
    }),
  );
}

/** Null comes first, since a default is of the first branch (Avro 1.12, "Unions"). */
function nullable(type: AvroJson): AvroJson {
  const branches = Array.isArray(type) ? type : [type];
  return ['null', ...branches.filter((branch) => branch !== 'null')];
}

function byName(type: AvroJson, around: string): AvroJson {
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return type.map((branch) => byName(branch, around));
  if (isNamed(type)) return fullNameOf(type, around)!;
  return withTypes(type, (inner) => byName(inner, around));
}

/**
 * An alias lets new readers read old facts. Old readers look for the old name in new facts and find nothing: without a default they stop, with one they read it
 * in silence. So the level of every fact that has the field must not ask for that direction, and no app may select it.
 */
async function renameAtOnce({ workspace, landscape, folders }: Scene, target: Target & { field: FactField }, to: string): Promise<string[]> {
  const { field, fact } = target;
  const path = plain(field.path);
  const sharing = [...landscape.schemas.facts.values()].flatMap((other) => {
    const here = [...new FactFields(landscape.schemas, other).below()].filter(({ record, field: { name } }) => record.fullName === field.record.fullName && name === field.field.name);
    return here.length > 0 ? [{ other, paths: here.map((found) => found.path) }] : [];
  });
  for (const { other } of sharing) {
    const level = levelOf(other);
    if (!bindsOldReaders(level)) continue;
    const why = field.field.default === undefined ? `finds no value for ${path} in facts stated from now on, and stops` : `reads the default of ${path} in facts stated from now on, without notice`;
    throw refused(`${other.factName} is ${level}: an alias lets new software read old facts, but software with the old schema ${why}.`, `Rename beside the old name: leave out --alias, and give --sunset <date>.`, other.factName);
  }
  const selecting = landscape.contracts.flatMap(({ file, consumes }) =>
    consumes.flatMap(({ fact: consumed, select, path: entry }) => {
      const paths = sharing.find(({ other }) => other.factName === consumed)?.paths ?? [];
      const at = select === '*' ? entry : select.find((selected) => paths.some((each) => related(each, selected.field)))?.path;
      if (paths.length === 0 || at === undefined) return [];
      const { line } = landscape.places.inFile(file, at);
      return [`${file}:${line}`];
    }),
  );
  if (selecting.length > 0) throw refused(`${path} is selected at ${selecting.join(', ')}: the software that runs with that would not find it under its new name.`, 'Rename beside the old name: leave out --alias, and give --sunset <date>.', fact.factName);
  const draft = await workspace.draft(fileOf(folders, field.record.file));
  draft.replaceText(`${field.jsonPath}.name`, to);
  const aliases = aliasesOf(field.field);
  if (aliases.length > 0) draft.addItemAfter(`${field.jsonPath}.aliases[${aliases.length - 1}]`, field.field.name);
  else draft.addMember(field.jsonPath, 'aliases', [field.field.name]);
  return [`${fact.topic.owner} states ${to}: its code does not compile with the old name.`, `The alias stays for as long as ${fact.topic.name} keeps facts with the old name.`];
}

function refuseName(to: string, { record, field }: FactField): void {
  const taken = record.node.fields!.find((other) => other.name === to || (other !== field && aliasesOf(other).includes(to)));
  const fault = !/^[A-Za-z_][A-Za-z0-9_]*$/.test(to) ? 'it is not a name: letters, digits and _, the first no digit' : taken ? `${record.fullName} has a field of that name` : to in Object.prototype ? 'every JavaScript object has it' : undefined;
  if (fault) throw new FactlineError({ code: 'evolve.name-refused', kind: 'invalid', message: `'${to}' cannot be the new name: ${fault}.`, advice: 'Choose another name; give it without the path to the field.', details: { name: to } });
}

function refused(message: string, advice: string, factName: string): FactlineError {
  return new FactlineError({ code: 'evolve.alias-refused', kind: 'refused', message, advice, details: { factName } });
}
