import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { needing } from '../support/fault-rows.js';
import { withoutMounts, withoutTool } from '../support/machine.js';
import { PaidEstate } from '../support/paid-estate.js';
import { ask } from '../support/rest.js';
import { type SmallWal, walOnSmallDisk } from '../support/small-wal.js';

/** The disk of Postgres fails here, so these rows have a stack of their own; its log is kept small, to be filled up. */
const STACK_STARTS_WITHIN = 240_000;
const WAL_DISK_BYTES = 96 * 1_024 * 1_024;

let stack: Stack;
let paid: PaidEstate;
let wal: SmallWal | undefined;

beforeAll(async () => {
  stack = await startStack({ from: 'packages', postgres: { max_wal_size: '48MB', min_wal_size: '32MB' } });
  paid = await PaidEstate.open({ ...stackEnvironment(stack) });
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await paid?.close();
  await stack?.stop();
  wal?.remove();
});

const ready = async () => (await ask(`${paid.hr.url}/health/ready`)).status;

/** Writes go on while the disk fails; a supervisor keeps Postgres started, and nobody does anything else. */
async function throughFailure(fails: () => Promise<unknown>, heals: () => void): Promise<void> {
  await paid.underLoad(async (writers) => {
    await fails();
    const refused = await until('hr to turn a read away', async () => {
      const answer = await ask(`${paid.hr.url}/employees/${paid.ids[0]}`);
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    heals();
    await stack.parts!.postgres.start();
    await until('hr to be ready', async () => (await ready()) === 200);
    await paid.moreWrites(writers);
  });
  expect(paid.unknown).toBeGreaterThan(0);
  expect(await paid.faults()).toEqual([]);
}

const childrenOf = (pid: number) => readdirSync('/proc').filter((each) => /^\d+$/.test(each) && parentOf(each) === pid).map(Number);

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

needing(withoutTool('strace'))('E4: when the disk cannot flush, Postgres stops instead of acknowledging, and no acknowledged write is lost', async () => {
  const backends = childrenOf(stack.parts!.postgres.pid!).flatMap((each) => ['-p', String(each)]);
  await paid.underLoad(async (writers) => {
    const tracer = spawn('strace', ['-q', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO', ...backends], { stdio: 'ignore' });
    try {
      await until('the server to have ended all its processes', () => tracer.exitCode !== null); // the tracer has nobody left
    } finally {
      tracer.kill();
    }
    await until('hr to be ready', async () => (await ready()) === 200); // the server has recovered by itself
    await paid.moreWrites(writers);
  });
  expect(paid.unknown).toBeGreaterThan(0); // the control: it was stopped among writes
  expect(await paid.faults()).toEqual([]);
});

needing(withoutMounts)('E3: with a full disk behind its log Postgres takes no write by halves, hr answers 503 with Retry-After, and both go on when there is space', async () => {
  const disk = (wal = await walOnSmallDisk(stack.parts!.postgres, WAL_DISK_BYTES));
  await until('hr to be ready', async () => (await ready()) === 200);
  const fails = async () => {
    disk.fill();
    // The segments there are would last for a while: they are used up at once.
    await until('the server to need another one', () => paid.here.store('hr').query('select pg_switch_wal()').then(() => false, () => true));
  };
  await throughFailure(fails, disk.free);
});
