import { randomFrom } from '../support/random.js';

/** App processes by the names of their instances, and the services they depend on. */
export const INSTANCES = ['hr-1', 'hr-2', 'payroll-1', 'payroll-2', 'tally-1', 'tally-2'] as const;
export type Instance = (typeof INSTANCES)[number];
/** The process with a proxy to Postgres of its own, so that its statements can be held back while another process takes over. */
export const ZOMBIE: Instance = 'payroll-1';
export type Service = 'kafka' | 'postgres' | 'registry';

/** One fault of a schedule: what, to whom, from when, for how long. Times in milliseconds from the begin of the faults. */
export interface Fault {
  id: number;
  kind: 'pause' | 'kill' | 'cut' | 'blackhole' | 'swallow' | 'disk-full' | 'clock' | 'zombie' | 'poison' | 'gap' | 'refuse' | 'outage';
  /** An instance, a service, `relay-owner` (whichever process it is then), or a broker (`kafka-2`). */
  target: string;
  startMs: number;
  durationMs: number;
  /** Of a clock fault: by how much it is wrong. */
  offsetSeconds?: number;
}

export interface ScheduleOptions {
  seed: number;
  minutes: number;
  brokers: 1 | 3;
  /** Faults that this machine can do. */
  able: { diskFull: boolean; clock: boolean };
}

/** Longer than the 10 s after which a group gives the partitions of a silent member away: only then is there a zombie. */
const ZOMBIE_PAUSE_MS = 14_000;
/** Longer than the 15 s after which the database ends the session of a silent relay. */
const SILENT_RELAY_MS = 18_000;
const DAY_SECONDS = 86_400;
/** Time without faults at the end, in which the last ones heal. */
const TAIL_MS = 5_000;
/** Between the starts of two faults: some overlap, and the apps still get work done on two cores. */
const [GAP_MIN_MS, GAP_MAX_MS] = [1_500, 5_000];

type Draft = Omit<Fault, 'id' | 'startMs'>;

/** What every run does at least once, in an order that the seed gives: rare paths would otherwise be left to luck. */
function musts({ able }: ScheduleOptions): Draft[] {
  return [
    { kind: 'poison', target: 'hr.employee', durationMs: 6_000 },
    { kind: 'gap', target: 'scratch', durationMs: 0 },
    { kind: 'refuse', target: 'payslips-keys', durationMs: 15_000 },
    { kind: 'outage', target: 'payslips', durationMs: 10_000 },
    { kind: 'zombie', target: ZOMBIE, durationMs: ZOMBIE_PAUSE_MS },
    { kind: 'pause', target: 'tally-2', durationMs: ZOMBIE_PAUSE_MS },
    { kind: 'kill', target: 'relay-owner', durationMs: 2_000 },
    { kind: 'pause', target: 'relay-owner', durationMs: SILENT_RELAY_MS },
    { kind: 'swallow', target: 'kafka', durationMs: 4_000 },
    { kind: 'swallow', target: 'postgres', durationMs: 4_000 },
    { kind: 'cut', target: 'kafka', durationMs: 3_000 },
    ...(able.diskFull ? [{ kind: 'disk-full', target: 'postgres', durationMs: 4_000 } as const] : []),
    ...(able.clock ? [{ kind: 'clock', target: 'hr-1', durationMs: 6_000, offsetSeconds: 2 * DAY_SECONDS } as const] : []),
  ];
}

/** The faults of a seed, sorted by their start. The same seed and options give the same list, in whatever version of the apps it is run. */
export function scheduleOf(options: ScheduleOptions): Fault[] {
  const random = randomFrom(options.seed);
  const endMs = options.minutes * 60_000 - TAIL_MS;
  const faults: Fault[] = [];
  const queue = shuffled(musts(options), random);
  const gaps = Math.min(GAP_MAX_MS, Math.floor(endMs / (queue.length + 1)));
  for (let at = GAP_MIN_MS; at < endMs; at += GAP_MIN_MS + random(Math.max(1, gaps - GAP_MIN_MS))) {
    const draft = queue.shift() ?? drawn(options, random);
    if (faults.some((other) => collide(other, draft, at))) {
      queue.push(draft);
      continue;
    }
    faults.push({ id: faults.length + 1, startMs: at, ...draft });
  }
  return faults;
}

/** Two faults of one target at a time would heal each other. */
function collide(other: Fault, { target }: Draft, at: number): boolean {
  return domainOf(other.target) === domainOf(target) && other.startMs + other.durationMs > at;
}

/** What counts as one target: the relay's owner is one hr or the other, and a link to Kafka leads to every broker. */
export function domainOf(target: string): string {
  if (target === 'relay-owner' || target.startsWith('hr-')) return 'hr';
  return target.startsWith('kafka') ? 'kafka' : target;
}

const SERVICES: readonly Service[] = ['kafka', 'postgres', 'registry'];

function drawn({ able, brokers }: ScheduleOptions, random: (limit: number) => number): Draft {
  const one = <T>(items: readonly T[]) => items[random(items.length)]!;
  const ms = (from: number, to: number) => from + random(to - from);
  const service = (): string => {
    const drawnService = one(SERVICES);
    return drawnService === 'kafka' ? `kafka-${1 + random(brokers)}` : drawnService;
  };
  const kinds: (() => Draft)[] = [
    () => ({ kind: 'pause', target: one(INSTANCES), durationMs: ms(1_000, 16_000) }),
    () => ({ kind: 'pause', target: service(), durationMs: ms(1_000, 8_000) }),
    () => ({ kind: 'kill', target: one(INSTANCES), durationMs: ms(100, 4_000) }),
    () => ({ kind: 'kill', target: service(), durationMs: ms(100, 3_000) }),
    () => ({ kind: 'cut', target: one(SERVICES), durationMs: ms(100, 6_000) }),
    () => ({ kind: 'blackhole', target: one(SERVICES), durationMs: ms(1_000, 6_000) }),
    () => ({ kind: 'swallow', target: one(['kafka', 'postgres'] as const), durationMs: ms(1_000, 4_000) }),
    ...(able.diskFull ? [(): Draft => ({ kind: 'disk-full', target: 'postgres', durationMs: ms(1_000, 5_000) })] : []),
    ...(able.clock ? [(): Draft => ({ kind: 'clock', target: one(['hr-1', 'payroll-1']), durationMs: ms(2_000, 8_000), offsetSeconds: random(4 * DAY_SECONDS) - 2 * DAY_SECONDS })] : []),
  ];
  return one(kinds)();
}

function shuffled<T>(items: readonly T[], random: (limit: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(random(left.length), 1)[0]!);
}
