import { pause } from 'factline/kernel';
import { type FactLog, partitionOf } from 'factline/log';
import { ReactionDeadLetters } from 'factline/reactions';
import { until } from 'factline/testing';
import { PARTITIONS } from '../../bench/scene.js';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import { auditModel, auditOutbox } from './audit.js';
import { collect } from './collect.js';
import { FactReader } from './facts.js';
import { type Begun, type Targets, begin, healAll } from './faults.js';
import { Fleet } from './fleet.js';
import { POISON, seeGap } from './gap.js';
import { type Ground, openGround } from './ground.js';
import type { HistoryFile } from './history.js';
import { MODELS } from './models.js';
import { PAYSLIPS, PAYSLIP_TOPIC, admit, outage } from './payslips.js';
import { becomeQuiet, followTopic, sampleAll } from './observe.js';
import { type Fault, ZOMBIE, domainOf, scheduleOf } from './schedule.js';
import { SmallDisk } from './small-disk.js';
import { Workload } from './workload.js';
import { WrongClock } from './wrong-clock.js';

export interface RunOptions {
  seed: number;
  minutes: number;
  brokers: 1 | 3;
  /** Instead of the one that the seed gives: that of a recorded run. */
  schedule?: readonly Fault[];
  history: HistoryFile;
  say(text: string): void;
}

/** After the last fault healed: a group gives up on a dead member after 10 s, the database on a silent relay after 15 s, and apps back off up to 10 s. */
const QUIET_WITHIN_MS = 90_000;
const TABLES_WITHIN = 30_000;
const REBUILDS = 2;
/** Which employees the reaction refuses for a while: few, since more than ten failing keys are no bad facts but a bad time. */
const REFUSED = [1, 5, 9];
const ERROR_KEPT = 300;

/** One run: a stack, the apps under load, the faults of the schedule, and the whole story in the history. @returns what processes said that ended by themselves. */
export async function runNemesis(options: RunOptions): Promise<string[]> {
  const { minutes, brokers, history, say } = options;
  const skipped: { fault: string; reason: string }[] = [];
  const able = <T extends object>(fault: string, found: T | string): T | undefined => {
    if (typeof found !== 'string') return found;
    skipped.push({ fault, reason: found });
    return undefined;
  };
  const clock = able('clock', await WrongClock.find());
  let disk: SmallDisk | undefined;
  const ground = await openGround({
    brokers,
    progress: { write: say },
    prepare: async (stack) => {
      disk = able('disk-full', await SmallDisk.under(stack, minutes));
      return async () => {
        await stack.parts!.postgres.stop();
        await disk?.close();
      };
    },
  });
  const single = { PAYROLL_DATABASE_URL: ground.proxies.single.through(ground.estate.databaseUrl('payroll')) };
  const fleet = new Fleet(ground, history, (instance) => ({ ...clock?.settings(instance), ...(instance === ZOMBIE && single) }));
  const closeClock = () => clock?.close(fleet.pids);
  process.once('exit', closeClock);
  try {
    const cannot = new Set(skipped.map(({ fault }) => fault));
    const asked = options.schedule ?? scheduleOf({ ...options, able: { diskFull: disk !== undefined, clock: clock !== undefined } });
    const schedule = asked.filter(({ kind }) => !cannot.has(kind));
    history.write({ type: 'run', at: Date.now(), seed: options.seed, minutes, brokers, schedule, skipped });
    await drill({ ...options, schedule }, ground, fleet, { disk, clock });
  } finally {
    await fleet.close();
    await ground.close();
    process.off('exit', closeClock);
    closeClock();
  }
  return fleet.ended;
}

async function drill({ seed, schedule, history, say }: RunOptions & { schedule: readonly Fault[] }, ground: Ground, fleet: Fleet, tools: Pick<Targets, 'disk' | 'clock'>): Promise<void> {
  const { estate } = ground;
  const log = estate.world.log();
  const reader = new FactReader(ground.registryUrl);
  say('starting two hr, two payroll and two tally\n');
  await log.createTopics([{ name: PAYSLIP_TOPIC, partitions: PARTITIONS }]);
  await fleet.start();
  await until('the tables of the apps', () => audited(ground), TABLES_WITHIN);
  const workload = new Workload({ seed, history, hr: [fleet.url('hr-1'), fleet.url('hr-2')], payroll: [fleet.url('payroll-1'), fleet.url('payroll-2')] });
  await workload.begin();
  const poisoned: { key: string; offset: number }[] = [];
  const targets: Targets = {
    ground,
    fleet,
    ...tools,
    gap: () => seeGap(ground, fleet, log, history),
    someKeys: () => REFUSED.map((nth) => workload.staff[nth]!),
    requeue: () => requeue(letters),
    poison: async () => {
      const at = await poison(log, workload.staff[0]!);
      poisoned.push(at);
      return `${at.key} at offset ${at.offset}`;
    },
  };
  const letters = new ReactionDeadLetters(PAYSLIPS, ground.payslips.store, log, ground.payslips.schemas);
  const watching = new AbortController();
  const watches = [followTopic(log, reader, history, watching.signal), sampleAll(ground, fleet, history, watching.signal)];
  await inflict(schedule, targets, history, say);
  say('healing everything\n');
  await healAll(targets);
  await outage(ground.payslips.store, false);
  await admit(ground.payslips.store, targets.someKeys());
  await fleet.ready();
  await workload.stop();
  await becomeQuiet(ground, log, history, QUIET_WITHIN_MS);
  // Before the repair: what an operator gave up is known to the live build alone, and a rebuild meets it anew.
  for (let round = 1; round <= REBUILDS; round++) await rebuild(ground, round, history);
  await repair(ground, poisoned);
  await repairReaction(ground, letters, poisoned);
  await becomeQuiet(ground, log, history, QUIET_WITHIN_MS);
  await fleet.sample();
  watching.abort();
  await Promise.all(watches);
  say('collecting what is there\n');
  await collect(ground, log, reader, history);
}

/** The triggers, once the tables are there. */
async function audited(ground: Ground): Promise<boolean> {
  try {
    await auditOutbox(ground.estate.store('hr'));
    for (const model of MODELS(ground)) await auditModel(model.store, model);
    return true;
  } catch {
    return false; // a process is still making them
  }
}

/** Every fault at its time, healed after its time, side by side; on a busy machine one may be late, and then the next one of its target waits for it. */
async function inflict(schedule: readonly Fault[], targets: Targets, history: HistoryFile, say: (text: string) => void): Promise<void> {
  const started = performance.now();
  const busy = new Map<string, Promise<void>>();
  const one = async (fault: Fault, before: Promise<void> | undefined) => {
    const { id, kind, target, startMs, durationMs } = fault;
    const note = (phase: 'begun' | 'healed' | 'failed', detail?: string) => {
      history.write({ type: 'fault', at: Date.now(), fault: id, kind, target, phase, ...(detail !== undefined && { detail }) });
      say(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${String(id).padStart(3)} ${kind} ${target} ${phase}${detail === undefined ? '' : `: ${detail}`}\n`);
    };
    await pause(startMs);
    await before;
    try {
      const begun: Begun = await begin(fault, targets);
      note('begun', begun.detail);
      await pause(durationMs);
      note('healed', (await begun.heal()) ?? undefined);
    } catch (error) {
      note('failed', String(error).slice(0, ERROR_KEPT));
    }
  };
  for (const fault of schedule) busy.set(domainOf(fault.target), one(fault, busy.get(domainOf(fault.target))));
  await Promise.all(busy.values());
}

async function poison(log: FactLog, key: string): Promise<{ key: string; offset: number }> {
  const [topic] = await log.describe([EMPLOYEE_TOPIC]);
  const publisher = await log.publisher();
  try {
    const { baseOffset: offset } = await publisher.send(EMPLOYEE_TOPIC, partitionOf(Buffer.from(key), topic!.partitions.length), [{ key: Buffer.from(key), value: POISON }]);
    return { key, offset };
  } finally {
    await publisher.close();
  }
}

/** As an operator would: what is no fact is given up, what waited behind it is applied. In the tally it stays, blocked. */
async function repair({ estate }: Ground, poisoned: readonly { key: string; offset: number }[]): Promise<void> {
  const letters = async (...args: string[]) => {
    const { code, stdout, stderr } = await estate.factline(['dead-letters', ...args]);
    if (code !== 0) throw new Error(`factline dead-letters ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  };
  for (const { key, offset } of poisoned) await letters('purge', 'payees', '--app', 'payroll', '--key', key, '--offset', String(offset), '--reason', 'it is no fact', '--by', 'nemesis');
  if (poisoned.length > 0) await letters('requeue', 'payees', '--app', 'payroll', '--all');
}

/** Asks for it, although another fault may have the database away. */
async function requeue(letters: ReactionDeadLetters): Promise<string> {
  const ask = () => letters.requeue({ all: true }, { by: 'nemesis' });
  const { id, keys } = await until('the re-drive to be asked for', () => ask().catch(() => undefined), TABLES_WITHIN);
  return `re-drive ${id} of ${keys} keys`;
}

/** What is no fact is given up, and what waits is handled, until nothing waits. */
async function repairReaction({ payslips }: Ground, letters: ReactionDeadLetters, poisoned: readonly { key: string; offset: number }[]): Promise<void> {
  await until('the re-drive under way to end', async () => {
    const { letters: waiting } = await letters.list({ all: true });
    if (waiting.length === 0) return (await payslips.store.query("select from factline.redrive where state = 'running'")).rowCount === 0; // one may have come too late to find a letter
    for (const { key, offset } of poisoned) await letters.purge({ key, offset }, { reason: 'it is no fact', by: 'nemesis' });
    await letters.requeue({ all: true }, { by: 'nemesis', canary: 0, stopAt: 1 }).catch(() => undefined); // one is running
    return false;
  }, QUIET_WITHIN_MS);
}

/** Builds the read model beside the live one, compares, and drops it again. */
async function rebuild({ estate }: Ground, round: number, history: HistoryFile): Promise<void> {
  const replay = (...args: string[]) => estate.factline(['replay', ...args, '--app', 'payroll', '--projection-version', '1', '--json']);
  const staged = await replay('stage', 'payees');
  const verified = await replay('verify', 'payees');
  await replay('drop', 'payees', '--staged');
  const lines = verified.stdout.split('\n').filter((line) => line.startsWith('{'));
  const told = lines.map((line) => JSON.parse(line) as { event?: string; rebuiltRows?: number }).find(({ event }) => event === 'verify');
  history.write({ type: 'rebuilt', round, equal: staged.code === 0 && verified.code === 0, rows: told?.rebuiltRows ?? 0, detail: `${staged.stderr}${verified.stdout.slice(-1_000)}${verified.stderr}` });
}
