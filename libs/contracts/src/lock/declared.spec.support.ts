import { randomBytes } from 'node:crypto';
import type { CompatibilityLevel } from '../facts.js';
import { type DeclaredFact, readSchemas } from '../schemas.js';
import { type Landscape, readLandscape } from '../check/landscape.js';
import { FOLDERS, type Files, tree } from '../check/shop.spec.support.js';

export interface Declaration {
  readonly fields?: readonly object[];
  readonly doc?: string;
  readonly level?: CompatibilityLevel;
}

/** Fields that may be added under every level. */
export const optional = (name: string) => ({ name, type: ['null', 'string'], default: null });

/** Nobody else's: the registry of the stack is shared and never emptied. */
export function ownNamespace(): string {
  return `plan_${randomBytes(6).toString('hex')}`;
}

/** Files that declare facts of one topic, by their short names; each has a key field `id`. */
export function declaring(namespace: string, facts: Readonly<Record<string, Declaration>>): Files {
  const levels = Object.entries(facts).filter(([, { level }]) => level);
  const avsc = ([name, { fields = [], doc = 'It happened.' }]: [string, Declaration]) => [
    `schemas/${namespace}/${name}.avsc`,
    JSON.stringify({ type: 'record', name, namespace, doc, fields: [{ name: 'meta', type: 'factline.Meta' }, { name: 'id', type: 'string' }, ...fields] }),
  ];
  return {
    [`schemas/${namespace}/topic.yaml`]: `name: ${namespace}.thing\nowner: things\nkeyField: id\npartitions: 1\nkind: facts\n`,
    ...Object.fromEntries(Object.entries(facts).map(avsc)),
    ...(levels.length > 0 && { 'schemas/contracts.config.yaml': `subjects:\n${levels.map(([name, { level }]) => `  ${namespace}.${name}: ${level}\n`).join('')}` }),
  };
}

export async function factsOf(namespace: string, facts: Readonly<Record<string, Declaration>>): Promise<DeclaredFact[]> {
  return [...(await readSchemas(tree('files', declaring(namespace, facts)), 'schemas')).facts.values()];
}

export async function factOf(namespace: string, declaration: Declaration = {}): Promise<DeclaredFact> {
  return (await factsOf(namespace, { Happened: declaration }))[0]!;
}

export function landscapeOf(namespace: string, facts: Readonly<Record<string, Declaration>>, name = 'working tree'): Promise<Landscape> {
  return readLandscape(tree(name, declaring(namespace, facts)), FOLDERS);
}
