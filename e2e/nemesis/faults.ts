import { until } from 'factline/testing';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { Fleet } from './fleet.js';
import type { Ground } from './ground.js';
import { admit, outage, refuse } from './payslips.js';
import { type Fault, INSTANCES, type Instance, ZOMBIE } from './schedule.js';
import type { SmallDisk } from './small-disk.js';
import type { WrongClock } from './wrong-clock.js';

/** Everything that faults are done to. */
export interface Targets {
  ground: Ground;
  fleet: Fleet;
  disk: SmallDisk | undefined;
  clock: WrongClock | undefined;
  /** Writes bytes that are no fact into the log, as a foreign producer would. */
  poison(): Promise<string>;
  /** Takes a scratch read model through a topic that is deleted and made again. */
  gap(): Promise<string>;
  /** Employees whose facts the reaction is to refuse. */
  someKeys(): readonly string[];
  /** Asks for all dead letters of the reaction to be handled again. */
  requeue(): Promise<string>;
}

/** A fault that was begun. */
export interface Begun {
  /** Which process or address it met, where the schedule does not say. */
  detail?: string;
  /** Answers what became of it, where that is not plain. */
  heal(): Promise<string | void>;
}

/** Other faults may keep facts away for a while. */
const WORK_WITHIN = 30_000;
/** A group gives up on a member after 10 s; other faults may delay what comes then. */
const TAKEOVER_WITHIN = 45_000;
const PRODUCE = 0;
const API_KEY_AT = 4;
/** A send of facts: the answer that a relay must not miss. */
const isProduce = (request: Buffer) => request.length > API_KEY_AT + 2 && request.readInt16BE(API_KEY_AT) === PRODUCE;
/** The end of a transaction: the answer that decides between done and unknown. */
const isCommit = (request: Buffer) => request.includes('commit\0');

/** Begins one fault. @throws when it cannot be done, which is a fault of the nemesis. */
export async function begin(fault: Fault, targets: Targets): Promise<Begun> {
  const { ground, disk, clock } = targets;
  switch (fault.kind) {
    case 'pause':
      return pauseOf(fault.target, targets);
    case 'kill':
      return killOf(fault.target, targets);
    case 'cut':
      return network(proxiesOf(ground, fault.target), (proxy) => {
        proxy.refuse();
        proxy.reset();
      });
    case 'blackhole': {
      const direction = fault.id % 2 === 0 ? 'to-server' : 'to-client';
      return { detail: direction, ...network(proxiesOf(ground, fault.target), (proxy) => proxy.blackhole(direction)) };
    }
    case 'swallow':
      return swallow(proxiesOf(ground, fault.target), fault.target === 'kafka' ? isProduce : isCommit);
    case 'disk-full':
      return { detail: await disk!.fill(), heal: () => freed(disk!, ground) };
    case 'clock':
      await clock!.set(fault.target, fault.offsetSeconds ?? 0);
      return { detail: `${fault.offsetSeconds} s`, heal: () => clock!.set(fault.target, 0) };
    case 'zombie':
      return zombie(targets);
    case 'poison':
      return { detail: await targets.poison(), heal: () => Promise.resolve() };
    case 'refuse':
      return refusal(targets);
    case 'outage':
      return outageOf(targets);
    case 'gap':
      return { detail: await targets.gap(), heal: () => Promise.resolve() };
  }
}

/** Ends every fault that could still hold: the apps must then get well by themselves. */
export async function healAll({ ground, fleet, disk }: Targets): Promise<void> {
  const { kafka, postgres, single, registry } = ground.proxies;
  for (const proxy of [...kafka, postgres, single, registry]) await proxy.heal();
  await disk?.free();
  for (const part of [...ground.parts.brokers, ground.parts.postgres, ground.parts.registry]) {
    await part.kill('SIGCONT');
    await part.start();
  }
  for (const instance of INSTANCES) {
    fleet.signal(instance, 'SIGCONT');
    fleet.restart(instance);
  }
}

/** What every key of the reaction needs is away until more than ten of them have met it, so that a breaker opens: how soon depends on the load. */
async function outageOf({ ground: { payslips }, fleet }: Targets): Promise<Begun> {
  await persistently(() => outage(payslips.store, true));
  return {
    heal: async () => {
      const opened = await until('a breaker to open', () => fleet.breakerOpen(), TAKEOVER_WITHIN).then(() => 'a breaker opened', () => 'no breaker opened');
      await persistently(() => outage(payslips.store, false));
      return opened;
    },
  };
}

/** Some keys are refused for good; then what refused them is repaired, and they are re-driven while the other faults go on. */
async function refusal({ ground: { payslips }, someKeys, requeue }: Targets): Promise<Begun> {
  const keys = someKeys();
  await persistently(() => refuse(payslips.store, keys));
  return {
    detail: keys.join(', '),
    heal: async () => {
      await persistently(() => admit(payslips.store, keys));
      return requeue();
    },
  };
}

/** Another fault may have the database away. */
async function persistently(step: () => Promise<void>): Promise<void> {
  await until('the database of the reaction', () => step().then(() => true, () => false), WORK_WITHIN);
}

function network(proxies: readonly FaultProxy[], act: (proxy: FaultProxy) => unknown): Begun {
  for (const proxy of proxies) act(proxy);
  return { heal: async () => void (await Promise.all(proxies.map((proxy) => proxy.heal()))) };
}

function swallow(proxies: readonly FaultProxy[], match: (request: Buffer) => boolean): Begun {
  const swallowed = () => proxies.reduce((sum, { counts }) => sum + counts.swallowed, 0);
  const before = swallowed();
  const { heal } = network(proxies, (proxy) => proxy.swallowNextResponse(match));
  return {
    heal: async () => {
      await heal();
      return `${swallowed() - before} answers swallowed`;
    },
  };
}

async function pauseOf(target: string, { ground, fleet }: Targets): Promise<Begun> {
  const part = partOf(ground, target);
  if (part) {
    await part.kill('SIGSTOP');
    return { heal: () => part.kill('SIGCONT') };
  }
  const instance = await instanceOf(target, ground, fleet);
  fleet.signal(instance, 'SIGSTOP');
  return { detail: instance, heal: async () => fleet.signal(instance, 'SIGCONT') };
}

async function killOf(target: string, { ground, fleet }: Targets): Promise<Begun> {
  const part = partOf(ground, target);
  if (part) {
    await part.kill('SIGKILL');
    return { heal: () => part.start() };
  }
  const instance = await instanceOf(target, ground, fleet);
  await fleet.kill(instance);
  return { detail: instance, heal: async () => fleet.restart(instance) };
}

/**
 * A consumer that is stopped with a statement on its way: the statement reaches the database after another process has taken the partitions over, and must be
 * refused there. Left to luck, a stopped process seldom has work in its hands.
 */
async function zombie({ ground, fleet }: Targets): Promise<Begun> {
  const { proxies, estate } = ground;
  const epochs = async () => {
    const { rows } = await estate.store('payroll').query<{ sum: number }>('select sum(epoch)::float8 as sum from payees.checkpoint');
    return rows[0]!.sum;
  };
  proxies.single.blackhole('to-server');
  const held = await until('a fact that it cannot apply', async () => (await fleet.lag(ZOMBIE)) > 0, WORK_WITHIN).then(
    () => 'with work in its hands',
    () => 'idle', // another fault keeps facts away
  );
  const before = await until('the epochs', () => epochs().catch(() => undefined), WORK_WITHIN);
  fleet.signal(ZOMBIE, 'SIGSTOP');
  return {
    detail: held,
    heal: async () => {
      try {
        await until('another process to take over', async () => (await epochs().catch(() => before)) > before, TAKEOVER_WITHIN);
      } finally {
        await proxies.single.heal();
        fleet.signal(ZOMBIE, 'SIGCONT');
      }
    },
  };
}

function partOf({ parts }: Ground, target: string) {
  if (target === 'postgres' || target === 'registry') return parts[target];
  const broker = /^kafka-(\d)$/.exec(target)?.[1];
  return broker === undefined ? undefined : parts.brokers[Number(broker) - 1];
}

function proxiesOf({ proxies }: Ground, target: string): readonly FaultProxy[] {
  if (target === 'kafka') return proxies.kafka;
  return target === 'postgres' ? [proxies.postgres, proxies.single] : [proxies.registry];
}

/** `relay-owner` is whichever hr the database names; hr-1 when it does not answer. */
async function instanceOf(target: string, { estate }: Ground, fleet: Fleet): Promise<Instance> {
  if (target !== 'relay-owner') return target as Instance;
  const owner = await estate.store('hr').query<{ owner: string | null }>('select owner from factline.relay').then(
    ({ rows }) => rows[0]?.owner,
    () => undefined,
  );
  return owner?.endsWith(`:${fleet.pid('hr-2')}`) ? 'hr-2' : 'hr-1';
}

/** A server that gave up while it had no room is started again, as an operator would. */
async function freed(disk: SmallDisk, { parts }: Ground): Promise<void> {
  await disk.free();
  await parts.postgres.start();
}
