import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/root.js';
import { check } from './checkers/all.js';
import { sometimes } from './counters.js';
import { type Event, HistoryFile, ofType, readHistory } from './history.js';
import { type Judged, passes, reportOf } from './report.js';
import { runNemesis } from './run.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    brokers: { type: 'string', default: '1' },
    /** A recorded history whose faults are done again. */
    replay: { type: 'string' },
    /** A recorded history that is judged again; nothing is started. */
    check: { type: 'string' },
    history: { type: 'string' },
    /** Rare paths that were not taken are told and do not fail the run. */
    'some-paths': { type: 'boolean', default: false },
  },
});

const say = (text: string) => void process.stdout.write(text);

function judge(history: readonly Event[]): boolean {
  const judged: Judged = { findings: check(history), counts: sometimes(history), wantsAllPaths: !values['some-paths'] };
  say(`${reportOf(history, judged)}\n`);
  return passes(history, judged);
}

/** Seed, length and faults of a run: as asked, or as recorded. */
function settings() {
  const recorded = values.replay === undefined ? undefined : ofType(readHistory(values.replay), 'run')[0];
  if (values.replay !== undefined && !recorded) throw new Error(`${values.replay} is no history of a run.`);
  if (recorded) return { seed: recorded.seed, minutes: recorded.minutes, brokers: recorded.brokers, schedule: recorded.schedule };
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const [minutes, brokers] = [Number(values.minutes), Number(values.brokers)];
  if (!Number.isSafeInteger(seed) || !(minutes > 0) || (brokers !== 1 && brokers !== 3)) throw new Error('Give --seed a whole number, --minutes a number above 0, and --brokers 1 or 3.');
  return { seed, minutes, brokers: brokers as 1 | 3 };
}

async function main(): Promise<boolean> {
  if (values.check !== undefined) return judge(readHistory(values.check));
  const run = settings();
  const folder = resolve(ROOT, '.factline', 'nemesis');
  mkdirSync(folder, { recursive: true });
  const path = values.history ?? resolve(folder, `${run.seed}.jsonl`);
  say(`nemesis      seed ${run.seed}, ${run.minutes} minutes, ${run.brokers} broker(s), history ${path}\n`);
  const history = new HistoryFile(path);
  try {
    const ended = await runNemesis({ ...run, history, say });
    for (const words of ended) say(`restarted    ${words}\n`);
  } finally {
    history.close();
  }
  const right = judge(history.events);
  say(`${right ? 'PASSED' : 'FAILED'}       seed ${run.seed}; again: npm run nemesis -- --replay ${path}; judge again: npm run nemesis -- --check ${path}\n`);
  return right;
}

/** What was started ends with this process: each part of it waits for its exit. */
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.once(signal, () => process.exit(code));

const right = await main();
// Not by itself: with Node 24.21, three of five runs never came out of Node's own clean-up of handles at the end (Environment::CleanupHandles), at full speed.
process.stdout.write('', () => process.exit(right ? 0 : 1));
