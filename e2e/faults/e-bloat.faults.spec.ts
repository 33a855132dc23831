import { outboxDoctor } from 'factline/outbox';
import { until } from 'factline/testing';
import { type CrashSite, crashSite } from '../support/crash-scene.js';

let site: CrashSite;

beforeAll(async () => {
  site = await crashSite();
});
afterEach(() => site.clear());
afterAll(() => site?.close());

const WAVES = 5;
/** Fewer are left by a heartbeat that came between. */
const MANY = 50;
/** Dead rows that a vacuum of all our tables leaves. */
async function deadAfterVacuum(): Promise<number> {
  const { rows: tables } = await site.store.query<{ name: string }>("select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables");
  let dead = 0;
  for (const { name } of tables) {
    await site.store.query(`vacuum ${name}`);
    await site.store.query('select pg_stat_clear_snapshot()');
    dead += (await site.store.query<{ dead: number }>('select n_dead_tup::integer as dead from pg_stat_user_tables where relid = $1::regclass', [name])).rows[0]!.dead;
  }
  return dead;
}
/** Others hold one for a moment only. */
const held = async (pid: number) => (await outboxDoctor(site.store, undefined, undefined, 0)).filter(({ code, details }) => code === 'outbox.vacuum-held' && details?.['pid'] === pid);

it('E10: an old snapshot keeps dead rows and delays nothing; the doctor names its session; when it ends vacuum takes all of them, beside our running processes', async () => {
  const scene = await site.scene('old_reader');
  const [relay, consumer] = [scene.relay(), scene.consumer()];
  await scene.ledger.wave();
  await scene.appliedBy(consumer);
  const reader = await site.store.session();
  await reader.query('begin isolation level repeatable read');
  const { rows } = await reader.query<{ pid: number }>('select pg_backend_pid() as pid');
  for (let wave = 0; wave < WAVES; wave++) await scene.ledger.wave();
  await scene.published(relay);
  await scene.appliedBy(consumer); // nothing was delayed
  const { pid } = rows[0]!;
  expect(await held(pid)).toMatchObject([{ severity: 'warning', advice: expect.stringContaining(`pg_terminate_backend(${pid})`) as string }]);
  expect(await deadAfterVacuum()).toBeGreaterThan(MANY); // the control: it does hold vacuum back
  await reader.close();
  await until('none to be left', async () => (await deadAfterVacuum()) === 0); // no session of a relay, a consumer or a pool holds a snapshot
  expect(await held(pid)).toEqual([]);
});
