import type { DeclaredChange } from 'factline/contracts/evolve';
import { count } from '../../output.js';
import { type Difference, byThing, hit, inTotal, outcomeOf, refusal, thing } from './changes.js';
import { atMost, code, folded, inline, within } from './markdown-text.js';
import { selectedAt } from './telling.js';

/** The first line: by it a later run finds the comment that it is to replace. */
const MARK = '<!-- factline contracts diff -->';

/** GitHub refuses a comment of more than 65,536 characters. For all bases together; leaves 5,500 for headings and for what says that something is left out. */
const CHARACTERS = { things: 20_000, changes: 40_000 } as const;
/** In one cell; the details below have the others. */
const APPS_IN_A_CELL = 10;

/** What a reviewer wants to know first: a row for each fact, topic and app, what breaks on top; every change by itself is folded. */
export function markdownOf(differences: readonly Difference[]): string[] {
  const share = (characters: number) => Math.floor(characters / differences.length);
  return [MARK, ...differences.flatMap(({ against, changes }, at) => [...(at > 0 ? [''] : []), ...section(against, changes, share)])];
}

function section(against: string, changes: readonly DeclaredChange[], share: (characters: number) => number): string[] {
  const heading = [`### Declarations: ${inline(outcomeOf(changes))}`, '', `${inTotal(changes)} against ${inline(against)}.`];
  if (changes.length === 0) return heading;
  const things = byThing(changes).toSorted((one, other) => gravity(other) - gravity(one)).map(thingRow);
  const each = changes.toSorted((one, other) => gravity([other]) - gravity([one])).map(changeRow);
  return [
    ...heading,
    '',
    '| what | changes | breaks | degrades | |',
    '|---|---|---|---|---|',
    ...within(share(CHARACTERS.things), things, (left) => ['', `**${count(left)} more** are not in this table, because GitHub limits its length.`]),
    ...folded('Every change', ['| | what | | who | where |', '|---|---|---|---|---|', ...within(share(CHARACTERS.changes), each, (left) => ['', `**${count(left)} more changes** are not in this comment; \`factline contracts diff\` tells all of them.`])]),
  ];
}

/** What a level forbids weighs more than what only degrades. */
function gravity(changes: readonly DeclaredChange[]): number {
  return Math.max(...changes.map(({ consumers, level, rules }) => (consumers.some(({ verdict }) => verdict === 'BROKEN') ? 4 : level && !level.allows ? 3 : consumers.length > 0 ? 2 : rules.length > 0 ? 1 : 0)));
}

function thingRow(changes: readonly DeclaredChange[]): string {
  const kinds = (['removed', 'changed', 'added'] as const).flatMap((kind) => {
    const number = changes.filter((change) => change.kind === kind).length;
    return number > 0 ? [`${count(number)} ${kind}`] : [];
  });
  const refused = [...new Set(changes.map(refusal).filter(Boolean))];
  return `| ${code(thing(changes[0]!))} | ${kinds.join(', ')} | ${apps(hit(changes, 'BROKEN'))} | ${apps(hit(changes, 'DEGRADED'))} | ${atMost(APPS_IN_A_CELL, refused.map(inline)).join('<br>')} |`;
}

function changeRow(change: DeclaredChange): string {
  const who = change.consumers.map((consumer) => `**${inline(consumer.app)}** ${consumer.verdict} (${inline(selectedAt(consumer))})`);
  const told = [change.message, refusal(change)].filter(Boolean).map(inline).join('<br>');
  return `| ${change.kind} | ${code([thing(change), change.path].filter(Boolean).join(change.of === 'fact' ? '.' : ': '))} | ${told} | ${atMost(APPS_IN_A_CELL, who).join('<br>')} | ${change.place ? inline(`${change.place.file}:${change.place.line}`) : ''} |`;
}

function apps(names: readonly string[]): string {
  return atMost(APPS_IN_A_CELL, names.map((name) => `**${inline(name)}**`)).join(', ');
}
