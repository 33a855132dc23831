import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from 'factline/testing';
import { needing } from '../support/fault-rows.js';
import { clockFrom, withoutFaketime, withoutTool } from '../support/machine.js';
import { PaidEstate } from '../support/paid-estate.js';
import { ask } from '../support/rest.js';

const OPENS_WITHIN = 120_000;

let paid: PaidEstate;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'factline-faults-'));
  paid = await PaidEstate.open();
}, OPENS_WITHIN);

afterAll(async () => {
  await paid?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** hr as another process, under these conditions. */
async function restartHr(settings: Record<string, string> = {}, shell?: string): Promise<void> {
  await paid.hr.program.stop();
  paid.hr = await paid.here.start('hr', settings, shell);
}

const epoch = async () => (await paid.here.store('hr').query<{ epoch: string }>('select epoch from factline.relay')).rows[0]!.epoch;
const hoursAhead = async () => Math.round((Date.parse((await ask(`${paid.hr.url}/health/live`)).headers.get('date')!) - Date.now()) / 3_600_000);

needing(withoutFaketime)('H4: a clock that jumps two days ahead and back, and one that runs twice as fast, cost no ownership, no fact and no order', async () => {
  const clock = join(folder, 'clock');
  writeFileSync(clock, '+0');
  await restartHr(clockFrom(clock));
  await until('hr to own its outbox', async () => ((await ask(`${paid.hr.url}/health`)).body['relay'] as { state: string }).state === 'owner');
  const before = await epoch();
  await paid.underLoad(async (writers) => {
    for (const [time, hours] of [['+2d', 48], ['-2d', -48], ['+0 x2', undefined], ['+0', 0]] as const) {
      writeFileSync(clock, time);
      if (hours !== undefined) await until(`hr to live ${hours} hours ahead`, async () => (await hoursAhead()) === hours);
      await paid.moreWrites(writers, 150);
    }
  });
  expect(await paid.faults()).toEqual([]);
  expect(await epoch()).toBe(before);
});

needing(withoutTool('prlimit'))('H6: with 64 file descriptors hr sheds connections, lives on, and answers again when there are some', async () => {
  await restartHr();
  const { program, url } = paid.hr;
  execFileSync('prlimit', ['--pid', String(program.pid), '--nofile=64']);
  const sockets = Array.from({ length: 100 }, () => connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined));
  const answers = () => fetch(`${url}/health/live`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(500) }).then(({ ok }) => ok, () => false);
  await until('hr to have none left', async () => !(await answers()));
  for (const socket of sockets) socket.destroy();
  await until('hr to answer', answers);
  await paid.underLoad((writers) => paid.moreWrites(writers));
  expect(await paid.faults()).toEqual([]);
});

it('H9: an unhandled rejection ends the process with exit code 1 and its reason, and the next one goes on', async () => {
  await restartHr({ NODE_OPTIONS: `--import="data:text/javascript,process.on('SIGUSR2',()=>void Promise.reject(new Error('a drill')))"` });
  await paid.underLoad(async (writers) => {
    const { program } = paid.hr;
    program.signal('SIGUSR2');
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.lines.at(-1)).toMatchObject({ level: 'error', error: 'a drill', msg: 'an unhandled rejection: the process ends' });
    paid.hr = await paid.here.start('hr');
    await paid.moreWrites(writers);
  });
  expect(await paid.faults()).toEqual([]);
});
