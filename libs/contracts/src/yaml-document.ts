import { LRUCache } from 'lru-cache';
import { type Document, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { YAML_REMEMBERED_CHARACTERS } from './limits.js';

/** A YAML text as it was read, faults included. Whoever gets it changes nothing in it. */
export interface YamlDocument {
  readonly document: Document.Parsed<ParsedNode>;
  readonly lines: LineCounter;
}

const remembered = new LRUCache<string, YamlDocument>({ maxSize: YAML_REMEMBERED_CHARACTERS, maxEntrySize: YAML_REMEMBERED_CHARACTERS, sizeCalculation: (_document, text) => text.length + 1 });

/** Reads about 1 MB a second, linear in the text. The same text is read once: a check reads a contract as declared, again for its lines, and at every commit it compares with. */
export function yamlDocument(text: string): YamlDocument {
  const known = remembered.get(text);
  if (known) return known;
  const lines = new LineCounter();
  // to refuse doubles, yaml compares each key with all before it: 40 s instead of 0.7 s for a map of 40,000 keys
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, keepSourceTokens: false, logLevel: 'error' });
  const read = { document, lines };
  remembered.set(text, read);
  return read;
}
