import type { DeclaredChange } from 'factline/contracts/evolve';
import { grouped } from 'factline/kernel';
import { type Output, count } from '../../output.js';
import { atMost } from './markdown-text.js';
import { selectedAt } from './telling.js';
import { LABEL } from './text.js';

/** What is declared otherwise than at one base. */
export interface Difference {
  readonly against: string;
  readonly changes: readonly DeclaredChange[];
}

/** For programs. `version` counts changes that a reader of the former form would not survive. */
export function jsonOf(differences: readonly Difference[]): object {
  return { version: 1, bases: differences };
}

const COLOURS = { added: 'green', removed: 'red', changed: 'yellow' } as const;

/** For people at a terminal: by fact, topic and app, each change with what it does to whom. */
export function textOf(differences: readonly Difference[], paint: Output['paint'] = (plain) => plain): string[] {
  return differences.flatMap(({ against, changes }, at) => [
    ...(at > 0 ? [''] : []),
    ...byThing(changes).flatMap((ofOne) => [paint(thing(ofOne[0]!), 'bold'), ...ofOne.flatMap((change) => linesOf(change, paint)), '']),
    `${inTotal(changes)} against ${against}; ${outcomeOf(changes)}`,
  ]);
}

function linesOf(change: DeclaredChange, paint: Output['paint']): string[] {
  const { kind, path, message, consumers } = change;
  const refused = refusal(change);
  return [
    `  ${paint(kind.padEnd(LABEL), COLOURS[kind])}${[path, message].filter(Boolean).join('  ')}`,
    ...consumers.map((consumer) => `  ${' '.repeat(LABEL)}${paint(consumer.verdict === 'BROKEN' ? 'BREAKS' : 'DEGRADES', consumer.verdict === 'BROKEN' ? 'red' : 'yellow', 'bold')} ${consumer.app}  selects it at ${selectedAt(consumer)}`),
    ...(refused ? [`  ${' '.repeat(LABEL)}${refused}`] : []),
  ];
}

/** `FULL_TRANSITIVE forbids it (field-removed)`; empty where nothing is to be said. */
export function refusal({ level, rules }: DeclaredChange): string {
  if (rules.length === 0) return '';
  return level && !level.allows ? `${level.name} forbids it (${rules.join(', ')})` : `${level ? `${level.name} allows it, ` : ''}check finds ${rules.join(', ')}`;
}

/** Changes of one fact, topic or app together, as they come. */
export function byThing(changes: readonly DeclaredChange[]): DeclaredChange[][] {
  return [...grouped(changes, ({ of, name }) => `${of} ${name}`).values()].map((ofOne) => [...ofOne]);
}

/** `hr.EmployeeCreated`, `topic hr.employee`, `app payroll`. */
export function thing({ of, name }: DeclaredChange): string {
  return of === 'fact' ? name : `${of} ${name}`;
}

/** `3 changes of 1 facts, 0 topics and 1 apps`. */
export function inTotal(changes: readonly DeclaredChange[]): string {
  const things = byThing(changes).map(([first]) => first!.of);
  const [facts, topics, apps] = (['fact', 'topic', 'app'] as const).map((wanted) => count(things.filter((of) => of === wanted).length));
  return `${count(changes.length)} changes of ${facts} facts, ${topics} topics and ${apps} apps`;
}

/** `breaks payroll; degrades board; 1 forbidden by the level`, or that nobody is hit. */
export function outcomeOf(changes: readonly DeclaredChange[]): string {
  const forbidden = changes.filter(({ level }) => level && !level.allows).length;
  const [broken, degraded] = [hit(changes, 'BROKEN'), hit(changes, 'DEGRADED')];
  const parts = [
    broken.length > 0 && `breaks ${named(broken)}`,
    degraded.length > 0 && `degrades ${named(degraded)}`,
    forbidden > 0 && `${count(forbidden)} forbidden by the level`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? parts.join('; ') : 'breaks nobody';
}

/** The rest stands at the changes. */
function named(apps: readonly string[]): string {
  return atMost(10, apps).join(', ');
}

/** Apps by their worst verdict. */
export function hit(changes: readonly DeclaredChange[], wanted: 'BROKEN' | 'DEGRADED'): string[] {
  const appsOf = (verdict: string) => [...new Set(changes.flatMap(({ consumers }) => consumers.filter((consumer) => consumer.verdict === verdict).map(({ app }) => app)))].toSorted();
  const broken = appsOf('BROKEN');
  return wanted === 'BROKEN' ? broken : appsOf('DEGRADED').filter((app) => !broken.includes(app));
}
