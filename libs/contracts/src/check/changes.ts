import { posix } from 'node:path';
import { fingerprintOf } from '../canonical.js';
import type { CompatibilityLevel, TopicDeclaration } from '../facts.js';
import type { RegisteredSubject } from '../lock/history.js';
import { normalForm } from '../lock/normal-form.js';
import type { DeclaredFact } from '../schemas.js';
import { appChanges } from './app-changes.js';
import { attributed } from './attributed.js';
import { compareContracts } from './compare.js';
import type { BareChange, DeclaredChange } from './declared-change.js';
import { changesBetween } from './fact-changes.js';
import type { Base, Landscape } from './landscape.js';
import type { Subject } from './subjects.js';

/**
 * Everything that is declared otherwise than at a base, by fact, then topic, then app, with the verdicts that `compareContracts` gives. A base of registered versions
 * is compared by its newest ones, and knows neither topics nor apps; a change is judged against all of them. A new fact is one change; so is one that is gone.
 */
export function changesSince(base: Base, now: Landscape): DeclaredChange[] {
  const { findings, subjects } = compareContracts(now, [base]);
  const facts = subjects.map((subject) => ({ subject, changes: factChanges(subject, now, base) }));
  return attributed(facts, [...topicChanges(now, base), ...appChanges(now, base)], findings, now);
}

/** As it was: at a commit, or in the newest version that is registered. */
type Before = Pick<DeclaredFact, 'schema' | 'compatibility'> & { readonly topic?: TopicDeclaration; readonly level?: CompatibilityLevel };

function beforeOf({ factName, before: [declared] }: Subject, { history }: Base): Before | undefined {
  if (declared) return { ...declared.fact, level: levelOf(declared.fact) };
  const registered: RegisteredSubject | undefined = history?.subjects.get(factName);
  const newest = registered?.versions.at(-1);
  return newest && { schema: newest.schema, ...(registered!.level && { level: registered!.level }) };
}

function factChanges(subject: Subject, now: Landscape, base: Base): BareChange[] {
  const { factName: name, now: is } = subject;
  const was = beforeOf(subject, base);
  const at = (path: string) => ({ of: 'fact' as const, name, path, place: now.places.ofField(name, path) });
  if (!is) return was ? [{ of: 'fact', name, path: '', kind: 'removed', message: was.topic ? `it was on ${was.topic.name}, stated by ${was.topic.owner}` : 'it was registered' }] : [];
  if (!was) return [{ ...at(''), kind: 'added', message: `on ${is.topic.name}, stated by ${is.topic.owner}` }];
  const settings = [...(was.topic ? differing('topic', was.topic.name, is.topic.name) : []), ...(was.level ? differing('level', was.level, levelOf(is)) : [])];
  const found = [...settings.map((message) => ({ path: '', kind: 'changed' as const, message })), ...schemaChanges(was, is)];
  return found.map(({ path, kind, message }) => ({ ...at(path), kind, message }));
}

/** One schema is written in many ways; what no field shows, an alias or an order, is said to be there. */
function schemaChanges(was: Before, is: DeclaredFact): Pick<BareChange, 'path' | 'kind' | 'message'>[] {
  if (fingerprintOf(was.schema) === fingerprintOf(is.schema)) return [];
  const [before, after] = [normalForm(was.schema), normalForm(is.schema)];
  if (fingerprintOf(before) === fingerprintOf(after)) return [];
  const all = changesBetween(before, after);
  const found = all.filter(({ path, kind }) => kind === 'changed' || !all.some((other) => other.kind === kind && path.startsWith(`${other.path}.`))); // with a record goes what is in it
  return found.length > 0 ? found : [{ path: '', kind: 'changed', message: 'changed in what no field shows: names of types, aliases, the order of fields, other attributes, factline.Meta' }];
}

function topicChanges(now: Landscape, { landscapes }: Base): BareChange[] {
  if (landscapes.length === 0) return [];
  const was = new Map(landscapes.flatMap(({ schemas, apps }) => [...schemas.topics].filter(([, { owner }]) => apps?.has(owner) ?? true)));
  const is = now.schemas.topics;
  return [...new Set([...was.keys(), ...is.keys()])].toSorted().flatMap((name): BareChange[] => {
    const [before, after] = [was.get(name), is.get(name)];
    if (!after) return [{ of: 'topic', name, path: '', kind: 'removed', message: `it was owned by ${before!.owner}` }];
    if (!before) return [{ of: 'topic', name, path: '', ...topicPlace(now, name, '$'), kind: 'added', message: `owned by ${after.owner}, ${after.partitions} partitions, key ${after.keyField}` }];
    const [old, current] = [settingsOf(before), settingsOf(after)];
    return [...new Set([...old.keys(), ...current.keys()])].flatMap((path): BareChange[] => {
      const [message] = differing('', old.get(path), current.get(path));
      if (message === undefined) return [];
      const kind = !old.has(path) ? 'added' : current.has(path) ? 'changed' : 'removed';
      return [{ of: 'topic', name, path, ...topicPlace(now, name, `$.${path}`), kind, message }];
    });
  });
}

function settingsOf({ owner, keyField, partitions, kind, headers, settings }: TopicDeclaration): ReadonlyMap<string, string> {
  return new Map([...Object.entries({ owner, keyField, partitions: String(partitions), kind, ...(headers && { headers }) }), ...Object.entries(settings).map(([key, value]) => [`settings.${key}`, value] as const)]);
}

/** A topic.yaml lies beside the facts of its topic. */
function topicPlace({ schemas, places }: Landscape, topic: string, path: string): Pick<BareChange, 'place'> {
  const fact = [...schemas.facts.values()].find((each) => each.topic.name === topic);
  return fact ? { place: places.inSchemas(posix.join(posix.dirname(fact.file), 'topic.yaml'), path) } : {};
}

function differing(what: string, was: string | undefined, is: string | undefined): string[] {
  return was === is ? [] : [`${what && `${what} `}was ${was ?? 'not set'}, is ${is ?? 'not set'}`];
}

function levelOf({ compatibility = 'FULL_TRANSITIVE' }: Pick<DeclaredFact, 'compatibility'>): CompatibilityLevel {
  return compatibility;
}
