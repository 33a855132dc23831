import { LineCounter, type YAMLMap, isScalar, parseDocument, visit } from 'yaml';
import { messageOf } from 'factline/kernel';
import { declarationError, suggestion } from './declaration-error.js';
import type { TopicDeclaration } from './facts.js';

const KINDS = ['facts', 'state', 'commands'];
const KNOWN = ['name', 'owner', 'keyField', 'partitions', 'kind', 'retention', 'settings'];

/**
 * YAML as an object, in time linear in the text. A key that is written twice is refused, also as 1 and "1", which are one key of an object.
 * @throws FactlineError `declaration.unreadable`, with the line in its message.
 */
export function parseYaml(text: string, file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = readYaml(text);
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, `it is not YAML: ${messageOf(error)}`, 'Correct the syntax.', {}, error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw declarationError('declaration.unreadable', { file, path: '$' }, 'it must hold keys and values.', 'See the other files of this kind.');
  }
  return parsed as Record<string, unknown>;
}

function readYaml(text: string): unknown {
  const lines = new LineCounter();
  // to refuse doubles, yaml compares each key with all before it: 40 s instead of 0.7 s for a map of 40,000 keys
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'error' });
  if (document.errors[0]) throw document.errors[0];
  visit(document, { Map: (_key, map) => refuseDoubles(map, lines) });
  return document.toJS();
}

function refuseDoubles(map: YAMLMap, lines: LineCounter): void {
  const seen = new Map<string, number>();
  for (const { key } of map.items) {
    if (!isScalar(key)) throw new Error('A key must be text, not a list, a map or an alias.');
    const name = String(key.value);
    const { line } = lines.linePos(key.range?.[0] ?? 0);
    const before = seen.get(name);
    if (before !== undefined) throw new Error(`The key '${name}' is written twice in one map, at line ${before} and at line ${line}.`);
    seen.set(name, line);
  }
}

/** Refuses keys that mean nothing: a misspelt setting must not be ignored. */
export function onlyKeys(found: Record<string, unknown>, known: readonly string[], at: { file: string; path: string }, code: string): void {
  const allowed = new Set(known);
  for (const key of Object.keys(found)) {
    if (allowed.has(key)) continue;
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
