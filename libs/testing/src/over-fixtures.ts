import { serialize } from 'node:v8';
import type { ReceivedFact } from 'factline/contracts';
import { FactlineError, messageOf } from 'factline/kernel';
import type { Projection } from 'factline/projections';
import type { Fixture } from './every-fixture.js';
import { FIXTURE_PAIRS_MAX } from './limits.js';

/** Folds a history of one key. @returns its row, if there is one. */
type FoldOf = (facts: readonly ReceivedFact[]) => object | undefined;

/** Folds each fixture alone and after each that left another row; one fault a fixture. @throws FactlineError as `over` says. */
export function takesAll(projection: Pick<Projection, 'name' | 'folds'>, fixtures: readonly Fixture[], fold: FoldOf): void {
  const unread = fixtures.find(([, { name }]) => !projection.folds.has(name));
  if (unread) throw notFolded(projection.name, unread);
  const faults = new Map<string, string>();
  const rows = new Map<string, Fixture>();
  const folded = (fixture: Fixture, before?: Fixture) => {
    const [title, fact] = fixture;
    try {
      return fold(before ? [before[1], fact] : [fact]);
    } catch (error) {
      faults.set(title, `${title}${before ? `, after ${before[0]}` : ''}: ${messageOf(error)}`);
      return undefined;
    }
  };
  for (const fixture of fixtures) {
    const row = folded(fixture);
    const text = row && serialize(row).toString('latin1');
    if (text !== undefined && !rows.has(text)) rows.set(text, fixture);
  }
  if (rows.size * fixtures.length > FIXTURE_PAIRS_MAX) throw tooMany(projection.name, rows.size, fixtures.length);
  for (const fixture of fixtures) {
    for (const before of rows.values()) {
      if (faults.has(fixture[0])) break;
      folded(fixture, before);
    }
  }
  if (faults.size > 0) throw refused(projection.name, [...faults.values()], fixtures.length);
}

/** Faults that a message says; `details.faults` has them all. */
const SAID = 10;

function refused(name: string, faults: readonly string[], of: number): FactlineError {
  const said = faults.slice(0, SAID).map((fault) => `\n  ${fault}`).join('');
  return new FactlineError({
    code: 'testing.fixtures-refused',
    kind: 'internal',
    message: `The projection '${name}' fails on ${faults.length} of ${of} facts that may be stated:${said}${faults.length > SAID ? `\n  and ${faults.length - SAID} more` : ''}`,
    advice: 'Correct the fold or the columns: a fact like this stops the read model for its key.',
    details: { faults },
  });
}

function notFolded(name: string, [title]: Fixture): FactlineError {
  return new FactlineError({
    code: 'testing.fixture-not-folded',
    kind: 'internal',
    message: `The projection '${name}' does not read ${title}, so that nothing is tested with it.`,
    advice: 'Make the fixtures of its own facts: everyFixture(projection.facts).',
  });
}

function tooMany(name: string, rows: number, fixtures: number): FactlineError {
  return new FactlineError({
    code: 'testing.fixtures-too-many',
    kind: 'internal',
    message: `${fixtures} fixtures after each of the ${rows} rows that they leave in '${name}' are more than ${FIXTURE_PAIRS_MAX} pairs.`,
    advice: "Give fewer at once: everyFixture with { versions: 'declared' }, or some of the projection's facts with those that make its rows.",
  });
}
