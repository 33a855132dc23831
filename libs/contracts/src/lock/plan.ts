import { FactlineError } from 'factline/kernel';
import { definitionsIn } from '../avro-json.js';
import { canonicalJson } from '../canonical.js';
import type { CompatibilityLevel } from '../facts.js';
import type { SchemaRegistry } from '../registry.js';
import type { DeclaredFact } from '../schemas.js';
import type { RegisteredSubject } from './history.js';
import { isLower, levelOf } from '../levels.js';
import { normalForm, withoutDocs } from './normal-form.js';
import { Readings } from '../check/readings.js';
import { eachOf, registryHistory } from './registry-history.js';
import { changesOnTheWire } from '../check/wire.js';

export interface PlanOptions {
  /** Whether a level that the registry enforces may become a lower one. Default false. */
  readonly lowerLevel?: boolean;
}

/** What has to be done so that a registry has a fact as it is declared; neither level nor version: nothing. */
export interface PlannedSubject {
  readonly fact: DeclaredFact;
  /** `from` is undefined when the subject has no level of its own. */
  readonly level?: { readonly from: CompatibilityLevel | undefined; readonly to: CompatibilityLevel };
  /** The version to be registered: its number if nothing else comes first, and what is new in it. */
  readonly version?: { readonly number: number; readonly news: 'first' | 'documentation' | 'contract' };
  /** Why it cannot be done; empty: it can. */
  readonly refusals: readonly string[];
  /** Where the registry's own check and the one here differ, under the level that the registry enforces now. */
  readonly disagreement?: string;
}

/** What a registry has of one fact, and says of it as it is declared. */
export interface SubjectState {
  readonly registered?: RegisteredSubject;
  readonly own: CompatibilityLevel | undefined;
  readonly enforced: CompatibilityLevel;
  /** Why what is registered cannot be compared. */
  readonly leftOut?: string;
  /** What the registry's check says of the declared schema, or why it finds it invalid. */
  readonly accepted: boolean | string;
}

/**
 * What `applyPlan` would do, in the order in which it would: a fact that another one contains comes first.
 * Each new version is judged twice, here against every registered version under the declared level, and by the registry's own check endpoint under the level it
 * enforces now; so what is planned without refusal is not refused when it is applied, unless the registry changes in between.
 * @throws FactlineError as SchemaRegistry and `registryHistory` do.
 */
export async function planRegistry(facts: readonly DeclaredFact[], registry: SchemaRegistry, options: PlanOptions = {}): Promise<PlannedSubject[]> {
  const leftOut = new Map<string, string>();
  const { subjects } = await registryHistory(registry, { subjects: facts.map(({ factName }) => factName), leftOut: (subject, why) => leftOut.set(subject, why) });
  const planned = new Map<DeclaredFact, PlannedSubject>();
  await eachOf(facts, async (fact) => {
    const registered = subjects.get(fact.factName);
    const why = leftOut.get(fact.factName);
    const accepted = why === undefined && !isRegistered(fact, registered) ? await verdictOf(registry, fact) : true;
    const state: SubjectState = { ...(await registry.levels(fact.factName)), accepted, ...(registered && { registered }), ...(why !== undefined && { leftOut: why }) };
    planned.set(fact, planSubject(fact, state, options));
  });
  return inDependencyOrder(facts).map((fact) => planned.get(fact)!);
}

/** The same for one fact, from what is known; asks nobody. */
export function planSubject(fact: DeclaredFact, state: SubjectState, { lowerLevel = false }: PlanOptions = {}): PlannedSubject {
  const { registered, own, enforced, leftOut } = state;
  const declared = levelOf(fact);
  if (leftOut !== undefined) return { fact, refusals: [`What is registered cannot be compared: ${leftOut}.`] };
  const level = own === declared || (declared === 'NONE' && enforced === 'NONE') ? undefined : { from: own, to: declared };
  const bound = own ?? (registered && enforced); // without a version and a level of its own there is nothing to lower
  const lowered = bound && isLower(declared, bound) && !lowerLevel ? [`The registry enforces ${bound}, and ${declared}, which is declared, is lower: declare ${bound}, or apply with --lower-level.`] : [];
  if (isRegistered(fact, registered)) return { fact, ...(level && { level }), refusals: lowered };
  const judged = judge(fact, state, declared);
  return { fact, ...(level && { level }), version: nextVersion(fact, registered), ...judged, refusals: [...lowered, ...judged.refusals] };
}

function judge(fact: DeclaredFact, { registered, enforced, accepted }: SubjectState, declared: CompatibilityLevel): Pick<PlannedSubject, 'refusals' | 'disagreement'> {
  if (typeof accepted === 'string') return { refusals: [accepted] };
  const readings = new Readings();
  const versions = (registered?.versions ?? []).map(({ version, schema }, at, all) => ({ names: [`version ${version}`], schema, last: at === all.length - 1 }));
  const refusals = changesOnTheWire(fact.schema, versions, declared, readings).map(({ path, message, against }) => `${path ? `${path}: ` : ''}${message} Against ${against.join(', ')}.`);
  // What only the library here cannot read is no question to a registry.
  const ours = changesOnTheWire(fact.schema, versions, enforced, readings).every(({ rule }) => rule === 'runtime-unreadable');
  if (accepted === ours) return { refusals: accepted || enforced !== declared || refusals.length > 0 ? refusals : [`The registry refuses it under ${enforced}.`] };
  const disagreement = accepted ? `The registry would accept it under ${enforced}; the check here does not.` : `The registry refuses it under ${enforced}; the check here finds nothing.`;
  return { refusals: accepted ? refusals : [...refusals, 'The registry would refuse it.'], disagreement };
}

function isRegistered(fact: DeclaredFact, registered: RegisteredSubject | undefined): boolean {
  const here = canonicalJson(normalForm(fact.schema));
  return (registered?.versions ?? []).some(({ schema }) => canonicalJson(schema) === here);
}

function nextVersion({ schema }: DeclaredFact, registered: RegisteredSubject | undefined): NonNullable<PlannedSubject['version']> {
  const newest = registered?.versions.at(-1);
  if (!newest) return { number: 1, news: 'first' };
  const said = (one: DeclaredFact['schema']) => canonicalJson(withoutDocs(normalForm(one)));
  return { number: newest.version + 1, news: said(schema) === said(newest.schema) ? 'documentation' : 'contract' };
}

async function verdictOf(registry: SchemaRegistry, { factName, schema }: DeclaredFact): Promise<boolean | string> {
  try {
    return await registry.accepts(factName, schema);
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'registry.refused') return error.message;
    throw error;
  }
}

/** Bundled schemas need no other subject; but who reads the registry meets a type where it belongs first. Bundling has refused circles. */
function inDependencyOrder(facts: readonly DeclaredFact[]): DeclaredFact[] {
  const byName = new Map(facts.map((fact) => [fact.factName, fact]));
  const ordered = new Set<DeclaredFact>();
  const add = (fact: DeclaredFact): void => {
    if (ordered.has(fact)) return;
    for (const name of definitionsIn(fact.schema).keys()) {
      const inner = name === fact.factName ? undefined : byName.get(name);
      if (inner) add(inner);
    }
    ordered.add(fact);
  };
  facts.forEach(add);
  return [...ordered];
}
