import { parse } from 'yaml';
import { messageOf } from 'factline/kernel';
import { declarationError, suggestion } from './declaration-error.js';
import type { TopicDeclaration } from './facts.js';

const KINDS = ['facts', 'state', 'commands'];
const KNOWN = ['name', 'owner', 'keyField', 'partitions', 'kind', 'retention', 'settings'];

/** YAML as an object. @throws FactlineError `declaration.unreadable`. */
export function parseYaml(text: string, file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, `it is not YAML: ${messageOf(error)}`, 'Correct the syntax.', {}, error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw declarationError('declaration.unreadable', { file, path: '$' }, 'it must hold keys and values.', 'See the other files of this kind.');
  }
  return parsed as Record<string, unknown>;
}

/** Refuses keys that mean nothing: a misspelt setting must not be ignored. */
export function onlyKeys(found: Record<string, unknown>, known: readonly string[], at: { file: string; path: string }, code: string): void {
  for (const key of Object.keys(found)) {
    if (known.includes(key)) continue;
    throw declarationError(code, { file: at.file, path: `${at.path}.${key}` }, `'${key}' is not a setting.`, suggestion(key, known, `Known: ${known.join(', ')}.`));
  }
}

/** Reads a topic.yaml. `retention` says for people what `settings` say for the broker. @throws FactlineError `topic.invalid` with file and path. */
export function parseTopic(text: string, file: string): TopicDeclaration {
  const found = parseYaml(text, file);
  onlyKeys(found, KNOWN, { file, path: '$' }, 'topic.invalid');
  const expect = (key: string, valid: boolean, expectation: string): void => {
    if (!valid) throw declarationError('topic.invalid', { file, path: `$.${key}` }, `${key} must be ${expectation}.`, `Write ${key}: ... as in the other topics.`);
  };
  for (const key of ['name', 'owner', 'keyField']) expect(key, typeof found[key] === 'string' && found[key] !== '', 'text');
  expect('name', /^[a-zA-Z0-9._-]{1,249}$/.test(String(found.name)), 'a Kafka topic name');
  expect('partitions', Number.isInteger(found.partitions) && (found.partitions as number) > 0, 'a whole number of 1 or more');
  expect('kind', KINDS.includes(String(found.kind)), `one of ${KINDS.join(', ')}`);
  const settings = found.settings ?? {};
  expect('settings', typeof settings === 'object' && !Array.isArray(settings), 'broker settings by their Kafka names');
  return {
    name: String(found.name),
    owner: String(found.owner),
    keyField: String(found.keyField),
    partitions: found.partitions as number,
    kind: found.kind as TopicDeclaration['kind'],
    settings: Object.fromEntries(Object.entries(settings as object).map(([key, value]) => [key, String(value)])),
  };
}
