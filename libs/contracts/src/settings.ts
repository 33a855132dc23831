import { declarationError, suggestion } from './declaration-error.js';
import type { CompatibilityLevel } from './facts.js';
import { onlyKeys, parseYaml } from './topics.js';

/** Where the settings lie, in the folder of the schemas. */
export const SETTINGS_FILE = 'contracts.config.yaml';

const LEVELS: readonly string[] = ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'] satisfies CompatibilityLevel[];
const DEFAULT_LEVEL: CompatibilityLevel = 'FULL_TRANSITIVE';

/** schemas/contracts.config.yaml: what holds for all subjects, and for some. */
export interface ContractSettings {
  readonly compatibility: CompatibilityLevel;
  readonly subjects: Readonly<Record<string, CompatibilityLevel>>;
}

/** What contracts.config.yaml says; without the file, the defaults. @throws FactlineError `settings.invalid` with file and path. */
export function parseSettings(text: string | undefined, factNames: readonly string[]): ContractSettings {
  if (text === undefined) return { compatibility: DEFAULT_LEVEL, subjects: {} };
  const found = parseYaml(text, SETTINGS_FILE);
  onlyKeys(found, ['compatibility', 'subjects'], { file: SETTINGS_FILE, path: '$' }, 'settings.invalid');
  const subjects = (found.subjects ?? {}) as Record<string, unknown>;
  onlyKeys(subjects, factNames, { file: SETTINGS_FILE, path: '$.subjects' }, 'settings.invalid');
  return {
    compatibility: level(found.compatibility ?? DEFAULT_LEVEL, '$.compatibility'),
    subjects: Object.fromEntries(Object.entries(subjects).map(([name, value]) => [name, level(value, `$.subjects.${name}`)])),
  };
}

/** Nothing when it is the default, so that generated files say only what differs. */
export function compatibilityOf(factName: string, settings: ContractSettings): { compatibility?: CompatibilityLevel } {
  const compatibility = settings.subjects[factName] ?? settings.compatibility;
  return compatibility === DEFAULT_LEVEL ? {} : { compatibility };
}

function level(value: unknown, path: string): CompatibilityLevel {
  if (LEVELS.includes(String(value))) return value as CompatibilityLevel;
  throw declarationError('settings.invalid', { file: SETTINGS_FILE, path }, `'${String(value)}' is not a compatibility level.`, suggestion(String(value), LEVELS, `Known: ${LEVELS.join(', ')}.`));
}
