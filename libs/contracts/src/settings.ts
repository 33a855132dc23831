import type { Severity } from './check/rules/rule.js';
import { STYLE_RULES, type StyleRule } from './check/rules/style.js';
import { declarationError, suggestion } from './declaration-error.js';
import type { CompatibilityLevel } from './facts.js';
import { DEFAULT_LEVEL, LEVELS } from './levels.js';
import { onlyKeys, parseYaml } from './yaml.js';

/** Where the settings lie, in the folder of the schemas. */
export const SETTINGS_FILE = 'contracts.config.yaml';

const STYLE_LEVELS: readonly StyleLevel[] = ['off', 'info', 'warning', 'error'];

export type StyleLevel = Severity | 'off';

/** schemas/contracts.config.yaml: what holds for all subjects, and for some. */
export interface ContractSettings {
  readonly compatibility: CompatibilityLevel;
  readonly subjects: Readonly<Record<string, CompatibilityLevel>>;
  /** Levels of style rules, where they are not those of the rule. */
  readonly style: Readonly<Partial<Record<StyleRule, StyleLevel>>>;
  /** What the style rules pass over. */
  readonly ignore: readonly StyleException[];
}

/** One entry of `ignore`. */
export interface StyleException {
  readonly rule: StyleRule;
  /** Full name of a fact, or of a type in a file of its own. */
  readonly fact: string;
  /** Path to a field: it and what lies in it; absent: all of the type. */
  readonly field?: string;
  readonly reason: string;
  /** JSON path in the file. */
  readonly path: string;
}

/** Full names that a setting may speak of: of facts; and of all types with a file of their own, facts included. */
export interface KnownNames {
  readonly facts: readonly string[];
  readonly types: readonly string[];
}

/** What contracts.config.yaml says; without the file, the defaults. @throws FactlineError `settings.invalid` with file and path. */
export function parseSettings(text: string | undefined, known: KnownNames): ContractSettings {
  const found = text === undefined ? {} : parseYaml(text, SETTINGS_FILE);
  onlyKeys(found, ['compatibility', 'subjects', 'style', 'ignore'], { file: SETTINGS_FILE, path: '$' }, 'settings.invalid');
  const subjects = asMap(found.subjects, '$.subjects');
  onlyKeys(subjects, known.facts, { file: SETTINGS_FILE, path: '$.subjects' }, 'settings.invalid');
  const types = new Set(known.types);
  return {
    compatibility: level(found.compatibility ?? DEFAULT_LEVEL, '$.compatibility'),
    subjects: Object.fromEntries(Object.entries(subjects).map(([name, value]) => [name, level(value, `$.subjects.${name}`)])),
    style: Object.fromEntries(Object.entries(asMap(found.style, '$.style')).map(([name, value]) => [styleRule(name, `$.style.${name}`), oneOf(STYLE_LEVELS, value, 'a level', `$.style.${name}`)])),
    ignore: asList(found.ignore, '$.ignore').map((entry, at) => exception(entry, types, `$.ignore[${at}]`)),
  };
}

/** Nothing when it is the default, so that generated files say only what differs. */
export function compatibilityOf(factName: string, settings: ContractSettings): { compatibility?: CompatibilityLevel } {
  const compatibility = settings.subjects[factName] ?? settings.compatibility;
  return compatibility === DEFAULT_LEVEL ? {} : { compatibility };
}

function exception(entry: unknown, types: ReadonlySet<string>, path: string): StyleException {
  const found = asMap(entry, path);
  onlyKeys(found, ['rule', 'fact', 'field', 'reason'], { file: SETTINGS_FILE, path }, 'settings.invalid');
  const rule = styleRule(asText(found.rule, `${path}.rule`), `${path}.rule`);
  const fact = asText(found.fact, `${path}.fact`);
  if (!types.has(fact)) throw invalid(`${path}.fact`, `there is no fact and no shared type '${fact}'.`, suggestion(fact, types, 'Write its full name, or remove the entry if the type is gone.'));
  const field = found.field === undefined ? {} : { field: asText(found.field, `${path}.field`) };
  if (typeof found.reason !== 'string' || found.reason.trim() === '') throw invalid(`${path}.reason`, 'an exception needs a reason.', 'Write reason: and why the rule does not hold here, for those who read it next year.');
  return { rule, fact, ...field, reason: found.reason, path };
}

function level(value: unknown, path: string): CompatibilityLevel {
  return oneOf(LEVELS, value, 'a compatibility level', path);
}

function styleRule(name: string, path: string): StyleRule {
  return oneOf(Object.keys(STYLE_RULES) as StyleRule[], name, 'a style rule', path);
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, what: string, path: string): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  throw invalid(path, `'${shown}' is not ${what}.`, suggestion(shown, allowed, `Known: ${allowed.join(', ')}.`));
}

function asMap(value: unknown, path: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(path, 'it must hold keys and values.', 'Write one "name: value" a line below it.');
  return value as Record<string, unknown>;
}

function asList(value: unknown, path: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(path, 'it must be a list.', 'Begin each entry with "- rule:".');
  return value;
}

function asText(value: unknown, path: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw invalid(path, 'it must be text.', 'Each exception holds rule, fact, reason, and field when it is for one.');
  return value;
}

function invalid(path: string, message: string, advice: string): Error {
  return declarationError('settings.invalid', { file: SETTINGS_FILE, path }, message, advice);
}
