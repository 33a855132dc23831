import { FactlineError } from 'factline/kernel';
import { alternativeOf } from '../check/deprecation.js';
import { plain } from '../check/finding.js';
import type { Landscape } from '../check/landscape.js';
import { bindsOldReaders, levelOf } from '../levels.js';
import { isDay } from '../day.js';
import { type Deprecation, soundDeprecation } from './annotation.js';
import { type Folders, type Target, fieldOf, fileOf, refuseFixed, targetOf, unknownFact } from './target.js';
import type { Workspace } from './workspace.js';

/** Announces that a field, or a fact, will be removed. */
export interface Deprecate {
  readonly kind: 'deprecate';
  /** `hr.EmployeeCreated.email`, or a fact. */
  readonly target: string;
  /** The day from which on it may be removed. */
  readonly sunset: string;
  /** What to read instead: another field of the fact, or another fact. */
  readonly use?: string;
  readonly documentation?: string;
}

/** What the steps of an evolution work on. */
export interface Scene {
  readonly workspace: Workspace;
  readonly landscape: Landscape;
  readonly folders: Folders;
  /** In UTC. */
  readonly today: string;
}

/** @returns what people have to do next. */
export async function deprecate(scene: Scene, { target: name, sunset, use, documentation }: Deprecate): Promise<string[]> {
  refusePast(sunset, scene.today);
  const target = targetOf(scene.landscape, name);
  const alternative = use === undefined ? undefined : alternativeFor(target, use, scene.landscape);
  await annotate(scene, target, { effective: scene.today, removal: sunset, ...(alternative !== undefined && { alternative }), ...(documentation !== undefined && { documentation }) });
  const instead = use === undefined ? 'they do without it' : `they select ${use} instead`;
  const path = target.field ? plain(target.field.path) : undefined;
  return [`Before ${sunset}, apps stop selecting ${path ?? target.fact.factName}: ${instead}.`, removalStep(target, sunset)];
}

/** Writes the annotation into the file. @throws FactlineError `evolve.not-evolvable`, `evolve.already-deprecated`. */
export async function annotate({ workspace, folders }: Scene, target: Target, deprecation: Deprecation): Promise<void> {
  refuseFixed(target);
  const { fact, field } = target;
  const annotated = field?.field ?? fact.schema;
  if (annotated.deprecated !== undefined) {
    const until = soundDeprecation(annotated)?.removal;
    throw new FactlineError({
      code: 'evolve.already-deprecated',
      kind: 'conflict',
      message: `${nameOf(target)} is deprecated already${until === undefined ? '' : `, until ${until}`}.`,
      advice: `Change the date in ${fileOf(folders, field?.record.file ?? fact.file)}, if it has to be another.`,
      details: { factName: fact.factName, field: field?.path ?? '' },
    });
  }
  const draft = await workspace.draft(fileOf(folders, field?.record.file ?? fact.file));
  if (field) draft.addMember(field.jsonPath, 'deprecated', deprecation);
  else draft.addMember('$', 'deprecated', deprecation, 'fields');
}

/** @throws FactlineError `evolve.sunset` */
export function refusePast(sunset: string, today: string): void {
  if (isDay(sunset) && sunset > today) return;
  throw new FactlineError({ code: 'evolve.sunset', kind: 'invalid', message: `'${sunset}' is no day after today, ${today}.`, advice: 'Write a day to come that leaves every consumer the time to move: --sunset 2027-02-01.' });
}

/** What becomes of it in the end, which depends on whether old readers can do without. */
export function removalStep({ fact, field }: Target, sunset: string): string {
  if (!field) return `From ${sunset} on ${fact.topic.owner} stops stating it. Its file stays: its facts stay on ${fact.topic.name}.`;
  const level = levelOf(fact);
  const path = plain(field.path);
  if (field.field.default === undefined && bindsOldReaders(level)) {
    return `${path} has no default, so ${level} never lets it leave this subject: ${fact.topic.owner} goes on stating it. It leaves with: factline contracts new-major ${fact.factName} --sunset <date>`;
  }
  return `From ${sunset} on, when nobody selects it, remove ${path} from the schema.`;
}

/** As it is written: from the record that holds the field, which other facts may share, where that is possible. */
function alternativeFor({ fact, fields, field }: Target, use: string, { schemas }: Landscape): string {
  if (!field) {
    const other = schemas.facts.get(use);
    if (!other) throw unknownFact(use, schemas.facts.keys());
    if (other === fact || other.schema.deprecated !== undefined) throw noAlternative(use, other === fact ? 'it is the fact itself' : 'it is deprecated, too');
    return use;
  }
  fieldOf(fields, use);
  const deprecated = fields.along(use).find((step) => step.field.deprecated !== undefined);
  if (deprecated) throw noAlternative(use, `${deprecated.path} is deprecated, too`);
  const place = plain(field.path);
  const around = place.slice(0, place.lastIndexOf('.') + 1);
  const written = around !== '' && use.startsWith(around) ? use.slice(around.length) : use;
  if (alternativeOf(fields, field, written) !== use) throw noAlternative(use, use === place || use.startsWith(`${place}.`) ? 'it is what shall go' : 'another field is meant by that name there');
  return written;
}

function noAlternative(use: string, why: string): FactlineError {
  return new FactlineError({ code: 'evolve.no-alternative', kind: 'invalid', message: `${use} cannot be the alternative: ${why}.`, advice: 'Name what consumers can read from today on.' });
}

function nameOf({ fact, field }: Target): string {
  return field ? `${fact.factName}.${plain(field.path)}` : fact.factName;
}
