import { until } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { HrClient, inParallel } from '../../support/hr-client.js';
import type { Mission } from '../../support/mission.js';
import { people } from '../../support/people.js';
import { ask } from '../../support/rest.js';
import { storageOf } from '../../support/storage.js';
import { TimesheetsClient } from '../../support/timesheets-client.js';
import { type Chapter, type Story, must, seconds } from '../story.js';

const STAFF = people(200, 2);

interface Scene {
  mission: Mission;
  hrApp: RunningApp;
  hr: HrClient;
  timesheets: TimesheetsClient;
  url: string;
  job: string;
}

/** timesheets keeps the minimum of hr's employees, and records time while everything that it depends on is away. */
export const timesheets: Chapter = {
  apps: ['hr', 'timesheets'],
  tell: async (story, mission) => {
    const scene = await hireEverybody(story, mission);
    await compareStorage(story, scene);
    await takeEverythingAway(story, scene);
  },
};

async function hireEverybody(story: Story, mission: Mission): Promise<Scene> {
  let scene: Scene | undefined;
  await story.step('Start hr and timesheets, hire 200 employees in hr, open a job in timesheets', async () => {
    const [hrApp, { url }] = [await mission.host.start('hr'), await mission.host.start('timesheets')];
    const [hr, client] = [new HrClient(hrApp.url), new TimesheetsClient(url)];
    await inParallel(STAFF, 8, (person) => hr.hire(person));
    await client.openLocation('BER', 'Berlin');
    const job = await client.openJob('Migrate the till', 'BER');
    const last = STAFF.at(-1)!.id;
    await client.record(last, job, '2026-03-02', 480, hr.tokens.get(last));
    scene = { mission, hrApp, hr, timesheets: client, url, job };
    return `time of ${last} recorded with the token of hr's answer; timesheets is at ${url}/docs`;
  });
  return scene!;
}

async function compareStorage(story: Story, { mission }: Scene): Promise<void> {
  await story.step("Compare what an employee costs in hr and in timesheets' read model", async (say) => {
    const { HR_DATABASE_URL: hrDatabase, TIMESHEETS_DATABASE_URL: ownDatabase } = mission.host.environment;
    await until('all employees', async () => (await storageOf(ownDatabase!, 'staff.staff')).rows >= STAFF.length);
    const [ofHr, own] = [await storageOf(hrDatabase!, 'employee'), await storageOf(ownDatabase!, 'staff.staff')];
    say(`hr          ${Math.round(ofHr.bytesOfValues)} bytes a row, ${Math.round(ofHr.bytesOnDisk)} on the disk`);
    say(`timesheets  ${Math.round(own.bytesOfValues)} bytes a row, ${Math.round(own.bytesOnDisk)} on the disk: id, first and last day`);
    must(own.bytesOfValues < ofHr.bytesOfValues / 2, 'the minimum is not smaller than half of the whole');
    return `${Math.round((100 * own.bytesOfValues) / ofHr.bytesOfValues)} % of hr's row, and nothing personal`;
  });
}

async function takeEverythingAway(story: Story, { mission, hrApp, timesheets: client, url, job }: Scene): Promise<void> {
  await story.step('Kill hr, stop Kafka and the registry, record time, bring them back', async (say) => {
    const { kafka, registry } = mission.stack.parts!;
    await hrApp.stop('SIGKILL');
    await Promise.all([kafka.stop(), registry.stop()]);
    await inParallel(STAFF.slice(0, 50), 8, ({ id }) => client.record(id, job, '2026-03-03', 480));
    const pending = async () => ((await ask(`${url}/health`)).body['outbox'] as { rows: number }).rows;
    await until('the entries to be counted', async () => (await pending()) >= 50);
    say(`50 entries recorded; ${await pending()} facts wait in the outbox`);
    const started = performance.now();
    await Promise.all([kafka.start(), registry.start()]);
    await until('everything to be published', async () => (await pending()) === 0);
    return `published ${seconds(performance.now() - started)} after Kafka was started, nobody had to do anything`;
  });
}
