import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf } from 'factline/kernel';
import { until } from 'factline/testing';
import { Program } from '../support/program.js';
import { ROOT } from '../support/root.js';
import { ofType, readHistory } from './history.js';

/** Schedules that are run with every change: the first line of a history is enough. What once failed is added here. */
const KEPT = resolve(ROOT, 'e2e/nemesis/kept');
const kept = readdirSync(KEPT).filter((name) => name.endsWith('.jsonl'));

const environment = Object.fromEntries(['HOME', 'JAVA_HOME', 'FACTLINE_CACHE_DIR', 'XDG_CACHE_HOME'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

/** A minute of faults, and what a busy machine needs before and after them. */
const ENDS_WITHIN = 300_000;

let folder: string;
let programs: Program[] = [];

const nemesis = (...args: string[]) => {
  const program = new Program(process.execPath, [resolve(ROOT, 'dist/e2e/nemesis/main.js'), ...args], { environment, cwd: ROOT });
  programs.push(program);
  return program;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'factline-nemesis-'));
});

afterEach(async () => {
  for (const program of programs) await program.stop();
  programs = [];
});

afterAll(() => rmSync(folder, { recursive: true }));

it.each(kept)('a run with the faults of %s loses, inverts and doubles nothing, and its history can be judged again', async (name) => {
  const path = join(folder, name);
  const run = nemesis('--replay', join(KEPT, name), '--history', path, '--some-paths');
  await until('the nemesis to end', () => !run.running, ENDS_WITHIN).catch((error: unknown) => {
    throw new Error(`${messageOf(error)} It said:\n${run.tail}`);
  });
  const { code } = await run.ended;
  expect([code, run.tail]).toEqual([0, expect.stringContaining('0 lost, 0 inverted, 0 doubled')]);
  const history = readHistory(path);
  const [recorded] = ofType(history, 'run');
  expect(recorded).toMatchObject({ seed: ofType(readHistory(join(KEPT, name)), 'run')[0]!.seed });
  // It means something: every fault was done, work was done meanwhile, and the rare paths that the nemesis walks on purpose were walked.
  const begun = new Set(ofType(history, 'fault').filter(({ phase }) => phase === 'begun').map(({ fault }) => fault));
  expect(recorded!.schedule.filter(({ id }) => !begun.has(id))).toEqual([]);
  expect(ofType(history, 'complete').filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(500);
  expect(run.stdout).toMatch(/relay taken over [1-9][\s\S]*key blocked [1-9][\s\S]*gap seen [1-9][\s\S]*outcome unknown [1-9]/);

  const again = nemesis('--check', path, '--some-paths');
  expect(await again.ended).toEqual({ code: 0, signal: null });
}, ENDS_WITHIN + 60_000);

it('tells a wrong option, and starts nothing', async () => {
  const program = nemesis('--brokers', '2');
  expect((await program.ended).code).toBe(1);
  expect(program.tail).toContain('--brokers 1 or 3');
});
