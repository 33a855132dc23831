import { pause } from 'factline/kernel';
import { until } from 'factline/testing';
import type { RunningApp } from '../../../apps/cli/src/apps.js';
import { HrClient, changeInOrder, inParallel } from '../../support/hr-client.js';
import type { Mission } from '../../support/mission.js';
import { PayrollClient } from '../../support/payroll-client.js';
import { type Person, changes, people } from '../../support/people.js';
import { type Chapter, type Story, must, seconds } from '../story.js';

const CALLERS = 8;
const STAFF = people(2_000, 1);

interface Scene {
  mission: Mission;
  hr: HrClient;
  hrApp: RunningApp;
  payroll: PayrollClient;
  payrollApp: RunningApp;
}

/** hr states facts, payroll keeps its read model: killed, cut off, with a bug, and rebuilt while readers read. */
export const payroll: Chapter = {
  apps: ['hr', 'payroll'],
  tell: async (story, mission) => {
    const scene = await startApps(story, mission);
    await hireEverybody(story, scene);
    await killPayroll(story, scene);
    await takeTheRegistryAway(story, scene);
    await takeKafkaAway(story, scene);
    await findTheBug(story, scene);
    await repairIt(story, scene);
  },
};

async function startApps(story: Story, mission: Mission): Promise<Scene> {
  let scene: Scene | undefined;
  await story.step('Start hr and payroll, each a process with its own database', async () => {
    const [hrApp, payrollApp] = [await mission.host.start('hr'), await mission.host.start('payroll')];
    scene = { mission, hrApp, payrollApp, hr: new HrClient(hrApp.url), payroll: new PayrollClient(payrollApp.url, mission.host.environment['PAYROLL_DATABASE_URL']!) };
    return `hr (pid ${hrApp.pid}) at ${hrApp.url}/docs, payroll (pid ${payrollApp.pid}) at ${payrollApp.url}/docs`;
  });
  return scene!;
}

async function hireEverybody(story: Story, { hr, payroll }: Scene): Promise<void> {
  await story.step('Hire 2,000 employees over REST while payroll keeps its read model', async (say) => {
    const started = performance.now();
    await inParallel(STAFF, CALLERS, (person) => hr.hire(person));
    say(`2,000 POST /employees in ${seconds(performance.now() - started)}`);
    const last = STAFF.at(-1)!;
    const read = performance.now();
    const { payee } = await payroll.payee(last.id, hr.tokens.get(last.id));
    must(payee?.name === last.name, `payroll does not show ${last.id} to the reader with its token`);
    say(`read-your-writes: GET /payees/${last.id} with the token of the last POST answered after ${seconds(performance.now() - read)}`);
    await payroll.equals(hr.expected, 'all payees to be as hired');
    return 'payroll has all 2,000 with name, salary, currency and location, and nothing else of them';
  });
}

async function killPayroll(story: Story, scene: Scene): Promise<void> {
  const { mission, hr, payroll } = scene;
  await story.step('Kill payroll with -9, make 500 changes in hr, start payroll again', async (say) => {
    await scene.payrollApp.stop('SIGKILL');
    await changeInOrder(hr, changes(present(hr), 500, 2), CALLERS);
    say('500 moves, new names and terminations while payroll was gone');
    const started = performance.now();
    scene.payrollApp = await mission.host.start('payroll');
    await payroll.equals(hr.expected, 'payroll to catch up');
    return `payroll caught up and equal ${seconds(performance.now() - started)} after its start: ${hr.expected.size} payees`;
  });
}

async function takeTheRegistryAway(story: Story, { mission, hr, payroll }: Scene): Promise<void> {
  await story.step('Take the schema registry away', async (say) => {
    const { registry } = mission.stack.parts!;
    await registry.stop();
    await changeInOrder(hr, changes(present(hr), 50, 3), CALLERS);
    await payroll.equals(hr.expected, 'facts to arrive without the registry');
    say('50 changes accepted, published and applied while the registry was down');
    await registry.start();
    return 'nothing waited for it: schema ids are remembered in the databases';
  });
}

async function takeKafkaAway(story: Story, { mission, hr, payroll }: Scene): Promise<void> {
  await story.step('Take Kafka away, and bring it back', async (say) => {
    const { kafka } = mission.stack.parts!;
    await kafka.stop();
    const changed = changes(present(hr), 50, 4);
    await changeInOrder(hr, changed, CALLERS);
    const someone = [...hr.expected.keys()][0]!;
    const during = await payroll.payee(someone);
    must(during.payee, 'payroll stopped answering while Kafka was away');
    say(`hr accepted 50 changes; payroll answers from its own tables, as of ${during.asOf}`);
    const status = await mission.factline(['outbox', 'status', '--app', 'hr', '--json']);
    const { pending } = JSON.parse(status.output) as { pending: { rows: number } };
    must(pending.rows > 0, 'the outbox shows nothing pending although Kafka is away');
    say(`factline outbox status: about ${pending.rows} facts wait in hr's outbox`);
    const started = performance.now();
    await kafka.start();
    await payroll.equals(hr.expected, 'facts to arrive after Kafka came back');
    return `published, applied and equal ${seconds(performance.now() - started)} after Kafka was started`;
  });
}

async function findTheBug(story: Story, scene: Scene): Promise<void> {
  const { mission, hr, payroll } = scene;
  await story.step('Put a bug into the fold, and let `verify` find it', async () => {
    await scene.payrollApp.stop();
    scene.payrollApp = await mission.host.start('payroll', { PAYROLL_DRILL: 'forget-moves' });
    await changeInOrder(hr, changes(present(hr), 200, 5), CALLERS);
    await settled(scene);
    must((await payroll.differences(hr.expected)) > 0, 'the drill did not make the model wrong');
    must((await mission.factline(['replay', 'stage', 'payees', '--app', 'payroll', '--projection-version', '1'], { echo: true })).code === 0, 'stage failed');
    const verify = await mission.factline(['replay', 'verify', 'payees', '--app', 'payroll', '--projection-version', '1'], { echo: true });
    must(verify.code === 100, `verify answered exit code ${verify.code}, not 100`);
    await mission.factline(['replay', 'drop', 'payees', '--app', 'payroll', '--projection-version', '1', '--staged'], { echo: true });
    return `${await payroll.differences(hr.expected)} payees are wrong, and verify names rows, columns and both values`;
  });
}

async function repairIt(story: Story, scene: Scene): Promise<void> {
  const { mission, hr, payroll } = scene;
  await story.step('Deploy version 2, rebuild from offset zero beside the live model, swap while readers read', async (say) => {
    await scene.payrollApp.stop();
    scene.payrollApp = await mission.host.start('payroll', { PAYROLL_PAYEES_VERSION: '2' });
    const outdated = await until('payroll to say that its model is outdated', async () =>
      (await payroll.health()).subscriptions.find(({ state }) => state === 'OUTDATED'),
    );
    say(`payroll serves the old model and says: ${outdated.trouble?.advice ?? ''}`);
    const readers = new Readers(payroll, [...hr.expected.keys()]);
    const run = await mission.factline(['replay', 'run', 'payees', '--app', 'payroll'], { echo: true });
    must(run.code === 0, `replay run answered exit code ${run.code}`);
    await payroll.equals(hr.expected, 'the rebuilt model to be right');
    await changeInOrder(hr, changes(present(hr), 50, 6), CALLERS);
    await payroll.equals(hr.expected, 'version 2 to go on with new facts');
    const { reads, failed } = await readers.stop();
    must(failed === 0, `${failed} of ${reads} reads failed during the rebuild`);
    return `${reads.toLocaleString('en-US')} reads during it, 0 failed; ${hr.expected.size} payees right, and new facts keep arriving`;
  });
}

/** Four callers who read one payee after another all the time. */
class Readers {
  #reads = 0;
  #failed = 0;
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(payroll: PayrollClient, ids: readonly string[]) {
    this.#loops = Array.from({ length: 4 }, async (_, reader) => {
      for (let i = reader; !this.#stopped; i += 7) {
        this.#reads++;
        const answer = await payroll.payee(ids[i % ids.length]!).catch(() => undefined);
        if (answer?.payee === undefined) this.#failed++;
        await pause(1);
      }
    });
  }

  async stop(): Promise<{ reads: number; failed: number }> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return { reads: this.#reads, failed: this.#failed };
  }
}

async function settled({ hr, payroll }: Scene): Promise<void> {
  const [id, token] = [...hr.tokens].at(-1)!;
  await payroll.payee(id, token);
  await until('payroll to apply everything', async () => (await payroll.health()).subscriptions.every(({ state, lag }) => state === 'LIVE' && lag === 0));
}

function present(hr: HrClient): Person[] {
  return STAFF.filter(({ id }) => hr.expected.has(id));
}
