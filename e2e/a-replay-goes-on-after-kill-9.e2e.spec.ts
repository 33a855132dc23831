import { tableExists } from 'factline/store';
import { until } from 'factline/testing';
import { type Archive, openArchive } from './support/archive.js';
import { type Estate, estate } from './support/estate.js';
import type { Program } from './support/program.js';

const POPULATION = { keys: 40_000, each: 10 };
const FACTS = POPULATION.keys * POPULATION.each;

let here: Estate;
let archive: Archive;
let partitions: number;

beforeAll(async () => {
  here = await estate();
  archive = await openArchive(here, POPULATION);
  partitions = (await archive.scene.log.describe([archive.scene.topic]))[0]!.partitions.length;
});

afterAll(async () => {
  await archive?.remove();
  await here?.close();
});

const replay = (verb: string, ...more: string[]) => here.factline(['replay', verb, 'payees', ...archive.app, ...more], archive.settings);
const eventOf = (stdout: string, event: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find((line) => line['event'] === event);

/** Partitions whose rows and checkpoint are committed. */
async function partitionsDone(): Promise<number> {
  if (!(await tableExists(archive.scene.store, 'payees_next.checkpoint'))) return 0;
  return Number((await archive.scene.store.query<{ done: string }>('select count(*) as done from payees_next.checkpoint')).rows[0]!.done);
}

/** A stage in a process of its own, held exactly where some partitions are finished and others are not. */
async function stageHeldInTheMiddle(): Promise<Program> {
  const program = here.command(['replay', 'stage', 'payees', ...archive.app, '--json'], archive.settings);
  await until('progress of the stage', () => program.lines.some(({ event, facts }) => event === 'progress' && Number(facts) > 0));
  await until('the first partition to be finished', partitionsDone);
  program.signal('SIGSTOP');
  expect(program.running).toBe(true);
  return program;
}

describe('a stage in the middle', () => {
  let held: Program;
  let done: number;

  beforeAll(async () => {
    held = await stageHeldInTheMiddle();
    done = await partitionsDone();
    expect(done).toBeLessThan(partitions);
  });

  it('shows its progress to other processes', async () => {
    const { code, stdout } = await replay('status', '--json');
    expect(code).toBe(0);
    expect(eventOf(stdout, 'status')).toMatchObject({ staged: { phase: 'stage', alive: true, plan: { facts: FACTS }, progress: { totalFacts: FACTS } } });
    expect((await replay('status')).stdout).toMatch(/^rebuild {5}generation \d+, version 1, stage \d+ %, [\d,]+\/s$/m);
  });

  it('keeps a second one away with one line that names who works on it', async () => {
    const second = await replay('stage');
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^error {2}A rebuild of 'payees' is running already \(database session \d+, factline replay\)\. {2}\(rebuild\.running\)\nnext {3}\S.*\n$/);
    const json = await replay('drop', '--staged', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: 'rebuild.running', kind: 'conflict', advice: expect.stringContaining('factline replay status') as string });
    expect(await partitionsDone()).toBeGreaterThanOrEqual(done); // the drop dropped nothing
  });

  it('C17: goes on after kill -9 where it was, and its result is what the history says', async () => {
    expect(await held.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    done = await partitionsDone();
    const again = await until('the dead one to be gone from the database', async () => {
      const answer = await replay('stage', '--json');
      return answer.stderr.includes('rebuild.running') ? undefined : answer;
    });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    const staged = eventOf(again.stdout, 'stage')!;
    expect(staged).toMatchObject({ resumed: done, facts: FACTS });
    expect(await archive.differences('payees_next')).toBe(0);
    await archive.scene.store.query("update payees_next.payees set location = 'X' where employee_id = 'e-1'");
    expect(await archive.differences('payees_next')).toBe(1); // the comparison sees one wrong value
  });
});

it('is cancelled by Ctrl-C with exit code 130, keeps what is finished, and goes on from there', async () => {
  await replay('drop', '--staged');
  const program = await stageHeldInTheMiddle();
  program.signal('SIGINT');
  program.signal('SIGCONT');
  expect(await program.ended).toEqual({ code: 130, signal: null });
  expect(program.stderr).toBe('{"error":"cancelled"}\n');
  const done = await partitionsDone();
  expect(done).toBeGreaterThan(0);
  expect(eventOf((await replay('stage', '--json')).stdout, 'stage')).toMatchObject({ resumed: done });
  expect(await archive.differences('payees_next')).toBe(0);
  expect((await replay('swap')).code).toBe(0);
  expect(await archive.differences('payees')).toBe(0);
});

it('is cancelled by Ctrl-C as well before it has begun to fold', async () => {
  const program = here.command(['replay', 'stage', 'payees', ...archive.app], archive.settings);
  await until('the preflight', () => program.stdout.includes('preflight'));
  program.signal('SIGINT');
  expect(await program.ended).toEqual({ code: 130, signal: null });
  expect(program.stderr).toBe('Cancelled; what was finished is kept.\n');
  expect(program.stdout).not.toContain('stage');
});

it('is cancelled by Ctrl-C as well while it waits for an index', async () => {
  const reader = await archive.scene.store.session();
  const program = here.command(['replay', 'stage', 'payees', ...archive.app], archive.settings);
  await until('the table to be there', async () => (await archive.scene.store.query("select from pg_class where oid = to_regclass('payees_next.payees')")).rows.length > 0);
  await reader.query('begin');
  await reader.query('lock table payees_next.payees in access share mode'); // rows can be loaded, a key cannot be added
  await until('the stage to add keys', async () => (await archive.scene.store.query("select from factline.rebuild where phase = 'index'")).rows.length > 0);
  program.signal('SIGINT');
  try {
    await until('the command to end', () => !program.running, 5_000);
  } finally {
    await reader.query('rollback');
    await reader.close();
  }
  expect(await program.ended).toEqual({ code: 130, signal: null });
  expect(await partitionsDone()).toBe(partitions);
});
