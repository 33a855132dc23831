import { FactlineError, messageOf } from 'factline/kernel';
import type { CompatibilityLevel } from '../facts.js';
import { levelOf } from '../levels.js';
import { sameWire } from '../registered-schemas.js';
import type { SchemaRegistry } from '../registry.js';
import type { DeclaredFact } from '../schemas.js';
import type { PlannedSubject } from './plan.js';

/** One thing that was done. */
export type AppliedStep = { readonly subject: string; readonly level: CompatibilityLevel } | { readonly subject: string; readonly id: number };

export interface ApplyResult {
  readonly done: readonly AppliedStep[];
  /** Subjects of which something is left to do. */
  readonly left: readonly string[];
  /** Why it stopped; absent: all was done. */
  readonly stopped?: { readonly subject: string; readonly error: FactlineError };
}

/**
 * Does what was planned, subject by subject: set the level, read it back, register, read back what the id stands for. Stops at the first thing that fails, with what
 * was done and what was not; deletes nothing. Whoever runs it again goes on where it stopped, and two that run it at once do the same work once: the registry
 * gives one id to one schema.
 * A plan with refusals is not begun: it answers with everything left.
 */
export async function applyPlan(planned: readonly PlannedSubject[], registry: SchemaRegistry, told: (step: AppliedStep) => void = () => undefined): Promise<ApplyResult> {
  const done: AppliedStep[] = [];
  const note = (step: AppliedStep): void => {
    done.push(step);
    told(step);
  };
  const work = planned.filter(({ level, version, refusals }) => level ?? version ?? refusals.length > 0);
  if (work.some(({ refusals }) => refusals.length > 0)) return { done, left: work.map(({ fact }) => fact.factName) };
  for (const [at, one] of work.entries()) {
    try {
      await applySubject(one, registry, note);
    } catch (error) {
      if (!(error instanceof FactlineError)) throw error;
      return { done, left: work.slice(at).map(({ fact }) => fact.factName), stopped: { subject: one.fact.factName, error } };
    }
  }
  return { done, left: [] };
}

async function applySubject({ fact, level, version }: PlannedSubject, registry: SchemaRegistry, note: (step: AppliedStep) => void): Promise<void> {
  const subject = fact.factName;
  const declared = levelOf(fact);
  if (level) {
    const { own } = await registry.levels(subject);
    if (own !== level.from && own !== declared) throw changed(subject, `its level is ${own ?? 'not set'} now`);
    if (own !== declared) await registry.setLevel(subject, declared);
  }
  await checkLevel(subject, declared, registry);
  if (level) note({ subject, level: declared });
  if (!version) return;
  const id = await registry.register(subject, fact.schema, declared);
  await checkSchema(fact, id, registry);
  note({ subject, id });
}

/** A registry may answer 200 and enforce something else: Apicurio takes NONE and goes on with the level of all subjects. */
async function checkLevel(subject: string, level: CompatibilityLevel, registry: SchemaRegistry): Promise<void> {
  const { enforced } = await registry.levels(subject);
  if (enforced === level) return;
  throw new FactlineError({
    code: 'registry.level-not-kept',
    kind: 'conflict',
    message: `The level of ${subject} is ${level} as declared, and the registry enforces ${enforced}.`,
    advice: 'Nothing of it was registered. Plan again; if it stays, look at the level that the registry sets for all subjects.',
    details: { subject, level, enforced },
  });
}

async function checkSchema({ factName, schema }: DeclaredFact, id: number, registry: SchemaRegistry): Promise<void> {
  const stored = await registry.stored(id);
  let fault = stored ? 'another schema' : 'nothing';
  try {
    if (stored && sameWire(JSON.parse(stored.text) as object, schema)) return;
  } catch (error) {
    fault = `what cannot be read: ${messageOf(error)}`;
  }
  throw new FactlineError({
    code: 'registry.schema-differs',
    kind: 'integrity',
    message: `The registry gave ${factName} the id ${id}, and has ${fault} under it.`,
    advice: 'Start no app with this registry before it is clear what answers there: a cache, a replica, or a restored registry.',
    details: { subject: factName, schemaId: id },
  });
}

function changed(subject: string, how: string): FactlineError {
  return new FactlineError({ code: 'registry.changed', kind: 'conflict', message: `${subject} changed in the registry after it was planned: ${how}.`, advice: 'Plan again.', details: { subject } });
}
