import { posix } from 'node:path';
import { isSeq, parseDocument, stringify } from 'yaml';
import { isDay } from '../day.js';
import { type Location, declarationError, suggestion } from '../declaration-error.js';
import { onlyKeys, readYaml } from '../yaml.js';
import type { Place } from './finding.js';
import { positionsOf } from './positions.js';
import { MEANING_RULES } from './rules/meaning.js';
import { WIRE_RULES } from './rules/wire.js';
import { RULES, type RuleId } from './rules.js';
import type { FileTree } from '../trees/tree.js';

/** Where acceptances lie, in the folder of the schemas. Whoever may answer for a break owns this file (CODEOWNERS). */
const ACCEPTANCES_FILE = 'accepted.yaml';

/** Stands for the schema of a fact that is not declared any more. */
export const GONE = 'gone';

/** A finding that somebody answers for, pinned to the two schemas that were compared: with another one on either side it says nothing. */
export interface Acceptance {
  readonly rule: RuleId;
  readonly fact: string;
  /** As the finding names it, `lines[].sku`; empty for the fact itself. It is no pattern. */
  readonly field: string;
  /** Contract fingerprints of the schemas before: documentation, tags, defaults and logical types count. */
  readonly from: readonly string[];
  /** That of the schema now, or `gone`. */
  readonly to: string;
  /** The apps that may be affected. One more, and the finding is not accepted. */
  readonly apps: readonly string[];
  readonly reason: string;
  readonly approvedBy: string;
  /** The last day that counts, as YYYY-MM-DD. */
  readonly until: string;
  readonly place: Place;
}

const KEYS = ['rule', 'fact', 'field', 'from', 'to', 'apps', 'reason', 'approvedBy', 'until'];

/** What follows from two schemas, so that pinning both pins the finding. Other findings depend on what no fingerprint holds: topics, selections, grants, files. */
export const ACCEPTABLE: ReadonlySet<string> = new Set([
  ...Object.keys(WIRE_RULES),
  ...Object.keys(MEANING_RULES),
  ...(['consumer-broken', 'consumer-degraded', 'fact-removed', 'removed-before-sunset', 'removed-while-selected', 'removed-without-deprecation'] satisfies RuleId[]),
]);

/** The acceptances of a tree; none without the file. @throws FactlineError as `acceptancesOf` does. */
export async function readAcceptances(tree: FileTree, schemasFolder: string): Promise<Acceptance[]> {
  const file = acceptancesFile(schemasFolder);
  return (await tree.list(schemasFolder)).includes(file) ? acceptancesOf(await tree.read(file), file) : [];
}

export function acceptancesFile(schemasFolder: string): string {
  return posix.join(schemasFolder, ACCEPTANCES_FILE);
}

/**
 * Reads a list of acceptances. All of an entry has to be there: who answers for it, why, and until when.
 * @throws FactlineError (configuration, with `details.file` and `details.path`) `declaration.unreadable`, `acceptance.invalid`, `acceptance.duplicate`.
 */
export function acceptancesOf(text: string, file: string): Acceptance[] {
  const positions = positionsOf(text);
  const seen = new Set<string>();
  return listIn(text, file).map((entry, index) => {
    const at = { file, path: `$[${index}]` };
    const acceptance = { ...acceptanceIn(entry, at), place: { file, ...(positions.at(positions.pointerOf(at.path)) ?? { line: 1, column: 1 }) } };
    const pins = JSON.stringify([acceptance.rule, acceptance.fact, acceptance.field, acceptance.from, acceptance.to]);
    if (seen.has(pins)) throw declarationError('acceptance.duplicate', at, `${acceptance.rule} is accepted twice between the same schemas.`, 'Keep one of the entries.');
    seen.add(pins);
    return acceptance;
  });
}

/** The text with one entry more, at the end; what was there stays as it is, to the byte, unless the list is written in brackets. */
export function appended(text: string, { rule, fact, field, from, to, apps, reason, approvedBy, until }: Omit<Acceptance, 'place'>): string {
  const written = { rule, fact, ...(field && { field }), from: from.length === 1 ? from[0] : from, to, ...(apps.length > 0 && { apps }), reason, approvedBy, until };
  const document = parseDocument(text);
  const list = document.contents;
  if (isSeq(list) && !list.flow && list.range) {
    const [head, tail] = [text.slice(0, list.range[1]), text.slice(list.range[1])];
    const indent = text.slice(0, list.range[0]).split('\n').at(-1)!;
    const lines = stringify([written], { lineWidth: 0 }).replaceAll(/^(?=.)/gm, indent);
    return `${head}${head.endsWith('\n') ? '' : '\n'}${lines}${tail}`;
  }
  if (isSeq(list)) document.add(document.createNode(written));
  else document.contents = document.createNode([written]) as unknown as typeof list;
  return document.toString({ lineWidth: 0 });
}

/** All scalars are text: a fingerprint such as 1234567890123456 is no number. */
function listIn(text: string, file: string): unknown[] {
  const found = readYaml(text, file, 'failsafe');
  if (found === null || found === '') return [];
  if (!Array.isArray(found)) throw declarationError('acceptance.invalid', { file, path: '$' }, 'it must be a list.', 'Begin each entry with a dash: - rule: ...');
  return found;
}

function acceptanceIn(entry: unknown, at: Location): Omit<Acceptance, 'place'> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw invalid(at, 'an entry holds keys and values', `Write ${KEYS.join(', ')}.`);
  const given = entry as Record<string, unknown>;
  onlyKeys(given, KEYS, at, 'acceptance.invalid');
  const text = (key: string): string => textAt(given[key], { file: at.file, path: `${at.path}.${key}` });
  const until = text('until');
  if (!isDay(until)) throw invalid({ ...at, path: `${at.path}.until` }, `'${text('until')}' is no day`, 'Write the last day that counts as YYYY-MM-DD.');
  return {
    rule: ruleIn(text('rule'), { ...at, path: `${at.path}.rule` }),
    fact: text('fact'),
    field: given['field'] === undefined ? '' : text('field'),
    from: fingerprintsIn(given['from'], { ...at, path: `${at.path}.from` }),
    to: given['to'] === GONE ? GONE : fingerprintIn(given['to'], { ...at, path: `${at.path}.to` }),
    apps: textsIn(given['apps'] ?? [], { ...at, path: `${at.path}.apps` }),
    reason: text('reason'),
    approvedBy: text('approvedBy'),
    until,
  };
}

function ruleIn(rule: string, at: Location): RuleId {
  if (!Object.hasOwn(RULES, rule)) throw invalid(at, `there is no rule '${rule}'`, suggestion(rule, Object.keys(RULES), '`factline contracts explain` lists them.'));
  if (ACCEPTABLE.has(rule)) return rule as RuleId;
  throw invalid(at, `${rule} cannot be accepted: it does not follow from two schemas alone`, 'A grant is written in contracts.yaml, a style exception in contracts.config.yaml; the rest has to be put right.');
}

function fingerprintsIn(value: unknown, at: Location): string[] {
  const listed = Array.isArray(value) && value.length > 0 ? value.map((one, index) => fingerprintIn(one, { ...at, path: `${at.path}[${index}]` })) : [fingerprintIn(value, at)];
  return [...new Set(listed)].toSorted();
}

function fingerprintIn(value: unknown, at: Location): string {
  const found = textAt(value, at);
  if (/^[0-9a-f]{16}$/.test(found)) return found;
  throw invalid(at, `'${found}' is no fingerprint of 16 hexadecimal digits`, '`factline contracts accept` writes both.');
}

function textsIn(value: unknown, at: Location): string[] {
  if (!Array.isArray(value)) throw invalid(at, 'it must be a list', 'Write [app, app].');
  return value.map((one, index) => textAt(one, { ...at, path: `${at.path}[${index}]` }));
}

function textAt(value: unknown, at: Location): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw invalid(at, 'it must be text', `Each entry holds ${KEYS.filter((key) => key !== 'field' && key !== 'apps').join(', ')}; field and apps where they apply.`);
}

function invalid(at: Location, what: string, advice: string): Error {
  return declarationError('acceptance.invalid', at, `${what}.`, advice);
}
