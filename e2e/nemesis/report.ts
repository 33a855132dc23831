import { type Finding, grouped } from './checkers/finding.js';
import { CHECKERS, LEFT_OUT } from './checkers/all.js';
import { reconciled } from './checkers/clients.js';
import { type Sometimes, never } from './counters.js';
import { type History, ofType } from './history.js';

/** Findings of one class that are printed; the history has all. */
const SHOWN = 5;

export interface Judged {
  findings: readonly Finding[];
  counts: Readonly<Record<Sometimes, number>>;
  /** A run too short for its must-haves need not have taken every path. */
  wantsAllPaths: boolean;
}

/** A run passes when no checker found anything, no fault failed to be done, and every rare path was taken. */
export function passes(history: History, { findings, counts, wantsAllPaths }: Judged): boolean {
  const undone = ofType(history, 'fault').some(({ phase }) => phase === 'failed');
  return findings.length === 0 && !undone && (!wantsAllPaths || never(counts).length === 0);
}

/** What people read: load, faults, invariants, classes, rare paths. */
export function reportOf(history: History, judged: Judged): string {
  return [...loadLines(history), ...faultLines(history), ...invariantLines(judged.findings), ...findingLines(judged.findings), ...pathLines(judged)].join('\n');
}

function loadLines(history: History): string[] {
  const completions = ofType(history, 'complete');
  const of = (outcome: string) => completions.filter((each) => each.outcome === outcome).length;
  const codes = [...grouped(completions.filter(({ outcome }) => outcome !== 'ok'), ({ status, code }) => `${status ?? 'no answer'}${code === undefined ? '' : ` ${code}`}`)];
  const records = ofType(history, 'record').filter(({ id }) => id !== '');
  const { happened, not } = reconciled(history);
  const quiet = ofType(history, 'quiet').map(({ tookMs, reached }) => (reached ? `${tookMs} ms` : 'never'));
  return [
    `load         ${completions.length} requests: ${of('ok')} ok, ${of('fail')} fail, ${of('unknown')} unknown`,
    `             not ok: ${codes.map(([name, each]) => `${each.length} x ${name}`).join(', ') || 'none'}`,
    `             writes with unknown outcome: ${happened} happened, ${not} did not`,
    `topic        ${ofType(history, 'committed').length} facts committed, ${records.length} records, ${records.length - new Set(records.map(({ id }) => id)).size} repetitions on the wire`,
    `quiet        ${quiet.join(', then ')} after the last fault`,
  ];
}

function faultLines(history: History): string[] {
  const faults = ofType(history, 'fault');
  const begun = [...grouped(faults.filter(({ phase }) => phase === 'begun'), ({ kind }) => kind)].map(([kind, each]) => `${each.length} ${kind}`);
  const failed = faults.filter(({ phase }) => phase === 'failed');
  return [
    `faults       ${begun.join(', ')}`,
    ...ofType(history, 'run').flatMap(({ skipped }) => skipped.map(({ fault, reason }) => `             left out: ${fault}: ${reason}`)),
    ...failed.map(({ fault, kind, target, detail }) => `             NOT DONE ${fault} ${kind} ${target}: ${detail}`),
  ];
}

function invariantLines(findings: readonly Finding[]): string[] {
  const lines = CHECKERS.map(({ invariant, says }) => ({ invariant, says }));
  const byInvariant = grouped(lines, ({ invariant }) => invariant);
  const order = (name: string) => Number(name.slice('INV-'.length));
  const names = [...byInvariant.keys(), ...Object.keys(LEFT_OUT)].toSorted((one, other) => order(one) - order(other));
  return names.map((name) => {
    const left = LEFT_OUT[name];
    if (left !== undefined) return `${name.padEnd(12)} left out: ${left}`;
    const count = findings.filter(({ invariant }) => invariant === name).length;
    return `${name.padEnd(12)} ${count === 0 ? 'holds' : `BROKEN ${count} times`}: ${byInvariant.get(name)!.map(({ says }) => says).join('; ')}`;
  });
}

function findingLines(findings: readonly Finding[]): string[] {
  const classes = [...grouped(findings, (finding) => finding.class)];
  if (classes.length === 0) return ['classes      none: 0 lost, 0 inverted, 0 doubled'];
  return classes.flatMap(([name, each]) => [
    `class        ${name}: ${each.length}`,
    ...each.slice(0, SHOWN).map(({ invariant, what }) => `             ${invariant} ${what}`),
    ...(each.length > SHOWN ? [`             and ${each.length - SHOWN} more in the history`] : []),
  ]);
}

function pathLines({ counts, wantsAllPaths }: Judged): string[] {
  const missing = never(counts);
  return [
    `sometimes    ${Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', ')}`,
    ...(missing.length > 0 ? [`             NEVER ${missing.join(', ')}${wantsAllPaths ? '' : ' (not demanded of this run)'}`] : []),
  ];
}
