import { posix } from 'node:path';
import { namespaceOf, simpleNameOf } from '../../avro-json.js';
import type { TopicDeclaration } from '../../facts.js';
import type { StyleRule } from '../rules/style.js';
import { isPast, wordsOf } from './words.js';
import type { WrittenType } from './written.js';

/** What a rule has against something, and the JSON path in its file that shows it. */
export interface Fault {
  readonly rule: StyleRule;
  readonly path: string;
  readonly message: string;
}

/** What can be said of a named type. `file` is below the folder of the schemas; `topic` is that of the fact, when the type is one. */
export function typeFaults(type: WrittenType, file: string, topic: TopicDeclaration | undefined): Fault[] {
  return [...namespaceFaults(type, file), ...tenseFaults(type, topic), ...docFaults(type), ...defaultFaults(type)];
}

/** A type inside another one is judged only where it leaves the namespace around it. */
function namespaceFaults({ fullName, around, path }: WrittenType, file: string): Fault[] {
  const namespace = namespaceOf(fullName);
  const folder = posix.dirname(file);
  if (folder === '.' || namespace === around) return [];
  const allowed = leadingPartsOf(folder);
  if (allowed.some((part) => plainName(part) === plainName(namespace))) return [];
  return [{ rule: 'namespace-matches-path', path: `${path}.namespace`, message: `Its namespace is ${namespace}; it lies in ${folder}/, which is ${allowed.join(' or ')}.` }];
}

/** `hr/employee`: hr, hr.employee. */
function leadingPartsOf(folder: string): string[] {
  const steps = folder.split('/').map((step) => step.replaceAll(/[^A-Za-z0-9_]+/g, '_'));
  return steps.map((_step, at) => steps.slice(0, at + 1).join('.'));
}

/** A folder may hold characters that a name cannot: time-off is timeOff or time_off. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9.]/g, '');
}

function tenseFaults({ fullName, field, path }: WrittenType, topic: TopicDeclaration | undefined): Fault[] {
  if (field !== '' || topic?.kind !== 'facts') return [];
  const name = simpleNameOf(fullName);
  const words = wordsOf(name);
  // the first of several words is what it happened to, or an adjective: PaidInvoice
  if (words.slice(words.length > 1 ? 1 : 0).some(isPast)) return [];
  return [{ rule: 'fact-name-past-tense', path: `${path}.name`, message: `${name} does not say what happened.` }];
}

function docFaults({ node, path }: WrittenType): Fault[] {
  if (node.type === 'fixed' || isText(node.doc)) return []; // Avro knows no doc of fixed types
  return [{ rule: 'doc-required', path, message: `The ${node.type === 'enum' ? 'enum' : 'record'} has no doc.` }];
}

export function isText(doc: unknown): boolean {
  return typeof doc === 'string' && doc.trim() !== '';
}

function defaultFaults({ node, fullName, path }: WrittenType): Fault[] {
  if (node.type !== 'enum' || node.default !== undefined) return [];
  return [{ rule: 'enum-without-default', path, message: `${simpleNameOf(fullName)} has no default: no symbol can be added without breaking its readers.` }];
}
