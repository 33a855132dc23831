import { type Node, type YAMLSeq, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { declarationError } from '../declaration-error.js';
import { parseRaw } from '../raw-contract.js';

/** Fields to take out of the selection of one fact. */
export interface Trimming {
  readonly fact: string;
  readonly fields: readonly string[];
}

/**
 * The text of a contracts.yaml without some selected fields. Everything else keeps its bytes, comments and formatting included; a comment behind a field goes with it.
 * @throws FactlineError `trim.not-editable` (configuration) for a selection that is written through an alias, and where nothing would be left of one.
 */
export function trimmedContract(text: string, file: string, trimmings: readonly Trimming[]): string {
  let trimmed = text;
  for (const { fact, fields } of trimmings) for (const field of fields) trimmed = without(trimmed, file, fact, field);
  const expected = parseRaw(text, file).consumes.map(({ fact, select }) => left(select, trimmings.find((each) => each.fact === fact)));
  const found = parseRaw(trimmed, file).consumes.map(({ select }) => left(select, undefined));
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw notEditable(file, '$.consumes', trimmings.flatMap(({ fields }) => fields));
  return trimmed;
}

function left(select: ReturnType<typeof parseRaw>['consumes'][number]['select'], trimming: Trimming | undefined): readonly string[] | '*' {
  return select === '*' ? '*' : select.map(({ field }) => field).filter((field) => !trimming?.fields.includes(field));
}

function without(text: string, file: string, fact: string, field: string): string {
  const { list, path } = selectionOf(text, file, fact);
  const index = list.items.findIndex((item) => isScalar(item) && item.value === field);
  const item = list.items[index];
  if (!isNode(item) || !item.range || list.items.length < 2) throw notEditable(file, path, [field]);
  const [start, end] = item.range;
  const line = lineAround(text, start, end);
  // alone on its line: `  - field  # why`, or one of a list in brackets that is written a field a line
  if (/^\s*(?:-\s+)?$/.test(text.slice(line.start, start)) && /^[ \t]*,?[ \t]*(?:#.*)?\r?\n?$/.test(text.slice(end, line.end))) return text.slice(0, line.start) + text.slice(line.end);
  if (!list.flow) throw notEditable(file, path, [field]);
  const [next, before] = [rangeOf(list.items[index + 1]), rangeOf(list.items[index - 1])];
  if (next && next[0] < line.end) return text.slice(0, start) + text.slice(next[0]);
  if (before && before[1] >= line.start) return text.slice(0, before[1]) + text.slice(end);
  return text.slice(0, start) + text.slice(next ? text.indexOf(',', end) + 1 : end);
}

function rangeOf(node: unknown): Node['range'] {
  return isNode(node) ? node.range : undefined;
}

function selectionOf(text: string, file: string, fact: string): { list: YAMLSeq; path: string } {
  const consumes = parseDocument(text).get('consumes');
  const entries = isSeq(consumes) ? consumes.items : [];
  const index = entries.findIndex((entry) => isMap(entry) && entry.get('fact') === fact);
  const entry = entries[index];
  const path = `$.consumes[${Math.max(0, index)}].select`;
  const list = isMap(entry) ? entry.get('select', true) : undefined;
  if (!isSeq(list)) throw notEditable(file, path, []);
  return { list, path };
}

/** The line that holds a part of a text, with its end. */
function lineAround(text: string, start: number, end: number): { start: number; end: number } {
  const behind = text.indexOf('\n', end);
  return { start: text.lastIndexOf('\n', start - 1) + 1, end: behind < 0 ? text.length : behind + 1 };
}

function notEditable(file: string, path: string, fields: readonly string[]): Error {
  return declarationError('trim.not-editable', { file, path }, `its selection cannot be changed without changing more of the file (${fields.join(', ')}).`, 'Take the fields out by hand.', { fields });
}
