import { LineCounter, type YAMLMap, isScalar, parseDocument, visit } from 'yaml';
import { messageOf } from 'factline/kernel';
import { type Location, declarationError, suggestion } from './declaration-error.js';
import { yamlDocument } from './yaml-document.js';

/** YAML that holds keys and values, as an object. @throws FactlineError as `readYaml` does. */
export function parseYaml(text: string, file: string): Record<string, unknown> {
  const parsed = readYaml(text, file);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    const empty = parsed === null || parsed === undefined;
    throw declarationError('declaration.unreadable', { file, path: '$' }, empty ? 'it is empty.' : 'it must hold keys and values.', 'Write keys and values; factline contracts init --root <an empty folder> shows a file of each kind.');
  }
  return parsed as Record<string, unknown>;
}

/**
 * What YAML holds, in time linear in the text. A key that is written twice is refused, also as 1 and "1", which are one key of an object; so is a text whose aliases
 * stand for more than yaml's limit of 100 times what is written.
 * @param schema `failsafe`: every scalar is a text. @throws FactlineError `declaration.unreadable`, with the line in its message.
 */
export function readYaml(text: string, file: string, schema: 'core' | 'failsafe' = 'core'): unknown {
  try {
    return valueOf(text, schema);
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, `it is not YAML: ${messageOf(error)}`, 'Correct the syntax.', {}, error);
  }
}

function valueOf(text: string, schema: 'core' | 'failsafe'): unknown {
  const { document, lines } = schema === 'core' ? yamlDocument(text) : textsOnly(text);
  if (document.errors[0]) throw document.errors[0];
  visit(document, { Map: (_key, map) => refuseDoubles(map, lines) });
  return document.toJS();
}

function textsOnly(text: string) {
  const lines = new LineCounter();
  return { document: parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'error', schema: 'failsafe' }), lines };
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
export function onlyKeys(found: Record<string, unknown>, known: readonly string[], at: Location, code: string): void {
  const allowed = new Set(known);
  for (const key of Object.keys(found)) {
    if (allowed.has(key)) continue;
    throw declarationError(code, { file: at.file, path: `${at.path}.${key}` }, `'${key}' is not a setting.`, suggestion(key, known, `Known: ${known.join(', ')}.`));
  }
}
