import { type Bench, type Measure, type Measurement, measured, perSecond, percentile, rounded } from '../measurement.js';
import type { BusyServiceArgument } from '../processes/busy-service.js';
import { startChild } from '../processes/child.js';
import { type Asked, openLoad } from '../requests.js';

/** Database work of a request: with so many connections the service bears CONNECTIONS / WORK_MS requests a millisecond, far fewer than HTTP costs. */
const WORK_MS = 20;
const CONNECTIONS = 4;
/** What an answer is worth nothing after. */
const DEADLINE_MS = 1_000;
/** Below what the connections would do, so that "1x" is a load that the service bears. */
const LOAD_SHARE = 0.8;
const TIMES = 10;
/** Of the goodput at the load that can be borne. */
const FLOOR_SHARE = 0.7;

/** Answered 2xx within the deadline, a second, at the load that a service bears and at ten times that, with the admission guard and without. */
export const admissionGoodput: Measure = async (bench) => {
  const withGuard = await goodputs(bench, true);
  const without = await goodputs(bench, false);
  return [figure('admission-goodput', withGuard, without)];
};

interface Goodputs {
  borne: Load;
  overload: Load;
}

interface Load {
  goodput: number;
  asked: Asked[];
  faults: string[];
}

async function goodputs({ world, quick, say }: Bench, guarded: boolean): Promise<Goodputs> {
  const argument: BusyServiceArgument = {
    guarded,
    databaseUrl: await world.database(guarded ? 'busy_guarded' : 'busy'),
    kafka: world.kafka,
    registryUrl: world.registryUrl,
    workMs: WORK_MS,
    connections: CONNECTIONS,
  };
  let url = '';
  const service = startChild<number>('busy-service', argument, (told: { url: string }) => (url = told.url));
  world.onClose(service.finish);
  await service.ready;
  const rate = (CONNECTIONS / WORK_MS) * 1_000 * LOAD_SHARE;
  const seconds = quick ? 3 : 20;
  await load(url, rate, 2); // connections, prepared statements
  const borne = await load(url, rate, seconds);
  const overload = await load(url, rate * TIMES, seconds);
  const rows = await service.finish();
  const written = [borne, overload].flatMap(({ asked }) => asked).filter(({ status }) => status === 201).length;
  if (rows < written) overload.faults.push(`${written} requests were answered 201, ${rows} rows are there`);
  say(`admission-goodput ${guarded ? 'with' : 'without'} the guard: ${rounded(borne.goodput)}/s at ${rate}/s, ${rounded(overload.goodput)}/s at ${rate * TIMES}/s`);
  return { borne, overload };
}

async function load(url: string, rate: number, seconds: number): Promise<Load> {
  const asked = await openLoad(`${url}/orders`, { rate, seconds, deadlineMs: DEADLINE_MS });
  const good = asked.filter(({ status, ms }) => status === 201 && ms <= DEADLINE_MS);
  const wrong = asked.filter(({ status, retryAfter }) => !(status === 201 || status === 0 || (status === 503 && retryAfter >= 1)));
  const faults = wrong.slice(0, 3).map(({ status, retryAfter }) => `an answer ${status} with Retry-After ${retryAfter}`);
  return { asked, faults, goodput: perSecond(good.length, seconds * 1_000) };
}

function figure(name: string, { borne, overload }: Goodputs, without: Goodputs): Measurement {
  const admitted = overload.asked.filter(({ status }) => status === 201).map(({ ms }) => ms);
  const shed = overload.asked.filter(({ status }) => status === 503).map(({ ms }) => ms);
  return measured({
    name,
    value: overload.goodput,
    unit: 'requests/s',
    ceiling: borne.goodput,
    ceilingName: `goodput at a ${TIMES}th of the load`,
    floor: borne.goodput * FLOOR_SHARE,
    faults: [...borne.faults, ...overload.faults, ...without.borne.faults],
    detail: {
      withoutPerSecondAt1x: rounded(without.borne.goodput),
      withoutPerSecondAt10x: rounded(without.overload.goodput),
      withoutPercent: rounded((without.overload.goodput / without.borne.goodput) * 100),
      admittedP99Ms: rounded(percentile(admitted, 99)),
      shedP99Ms: rounded(percentile(shed, 99)),
      askedAt10x: overload.asked.length,
      withinMs: DEADLINE_MS,
    },
  });
}
