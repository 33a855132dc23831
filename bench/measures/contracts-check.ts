import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGAINST, type Expected, inventRepository } from '../declarations.js';
import { CHANGES, FACTS, VERSIONS, fileOf } from '../invented-facts.js';
import { APPS } from '../invented-apps.js';
import { type Measure, measured, median } from '../measurement.js';

const COLD_FLOOR_MS = 5_000;
const WARM_FLOOR_MS = 1_500;
const FOUND_EXIT = 100;
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
/** A fact whose documentation is edited: it changes no verdict. */
const EDITED = 125;

const COMMAND_LINE = fileURLToPath(new URL('../../apps/cli/src/main.js', import.meta.url));
const READER = fileURLToPath(new URL('../processes/read-declarations.js', import.meta.url));

/** From the start of a process to its end: judging all of a large repository, answering what is known, and judging it again after an edit. */
export const contractsCheck: Measure = async ({ quick, say }) => {
  const root = await mkdtemp(join(tmpdir(), 'factline-bench-'));
  try {
    const expected = await inventRepository(root);
    const rounds = quick ? 1 : 3;
    const faults: string[] = [];
    const check = async (changed: number): Promise<number> => {
      const { ms, code, output } = await timed(root, COMMAND_LINE, 'contracts', 'check', '--json', '--against', ...AGAINST);
      faults.push(...faultsIn(output, code, expected, changed));
      return ms;
    };
    const repeated = async (one: (round: number) => Promise<number>): Promise<number[]> => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) times.push(await one(round));
      return times;
    };
    const read = await repeated(async () => (await timed(root, READER, root)).ms);
    const cold = await repeated(async () => {
      await rm(join(root, 'node_modules', '.cache'), { recursive: true, force: true });
      return check(CHANGES.size);
    });
    const warm = await repeated(() => check(CHANGES.size));
    const file = join(root, fileOf(EDITED));
    const text = await readFile(file, 'utf8');
    const edited = await repeated(async (round) => {
      await writeFile(file, text.replace('A thing was placed.', `A thing was placed. ${round}`));
      return check(CHANGES.size + 1);
    });
    say(`contracts-check: ${Math.round(median(cold))} ms cold, ${Math.round(median(warm))} ms warm`);
    const figure = { unit: 'ms', ceiling: median(read), ceilingName: 'a process that reads and parses the same files', faults } as const;
    const detail = { facts: FACTS, versions: VERSIONS, apps: APPS, rounds };
    return [
      measured({ ...figure, name: 'contracts-check-cold', value: median(cold), floor: COLD_FLOOR_MS, detail: { ...detail, maxMs: Math.round(Math.max(...cold)) } }),
      measured({ ...figure, name: 'contracts-check-warm', value: median(warm), floor: WARM_FLOOR_MS, detail: { rounds, maxMs: Math.round(Math.max(...warm)) } }),
      measured({ ...figure, name: 'contracts-check-one-file-changed', value: median(edited), detail: { rounds, maxMs: Math.round(Math.max(...edited)) } }),
    ];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

interface Ended {
  readonly ms: number;
  readonly code: number;
  readonly output: string;
}

function timed(cwd: string, script: string, ...args: readonly string[]): Promise<Ended> {
  const started = performance.now();
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd, maxBuffer: OUTPUT_MAX_BYTES }, (error, output) => {
      resolve({ ms: performance.now() - started, code: error ? Number(error.code ?? -1) : 0, output });
    });
  });
}

interface Told {
  readonly facts: Readonly<Record<'checked' | 'added' | 'changed' | 'removed', number>>;
  readonly findings: readonly { rule: string; fact: string; field: string; consumers: readonly { app: string; verdict: string }[]; accepted?: object }[];
}

/** The planted breaks with the planted apps, and nothing else. */
function faultsIn(output: string, code: number, expected: readonly Expected[], changed: number): string[] {
  if (code !== FOUND_EXIT) return [`it ended with ${code}: ${output.slice(0, 200)}`];
  const { facts, findings } = JSON.parse(output) as Told;
  const found = findings.map(({ rule, fact, field, consumers, accepted }) => {
    const apps = consumers.flatMap(({ app, verdict }) => (verdict === 'SAFE' ? [] : [app]));
    return textOf({ rule, fact, field, apps, accepted: accepted !== undefined });
  });
  const wanted = expected.map(textOf);
  const counted = JSON.stringify(facts) === JSON.stringify({ checked: FACTS, added: 0, changed, removed: 0 });
  return [
    ...found.filter((each) => !wanted.includes(each)).map((each) => `found ${each}`),
    ...wanted.filter((each) => !found.includes(each)).map((each) => `did not find ${each}`),
    ...(found.length === wanted.length ? [] : [`${found.length} findings, not ${wanted.length}`]),
    ...(counted ? [] : [`compared ${JSON.stringify(facts)}, ${changed} of them changed`]),
  ];
}

function textOf({ rule, fact, field, apps, accepted }: Expected): string {
  return `${rule} ${fact}.${field} (${apps.toSorted().join(', ')}${accepted ? '; accepted' : ''})`;
}
