import type { World } from 'factline/testing';

/** One figure of the benchmark, as `--json` prints it. */
export interface Measurement {
  name: string;
  value: number;
  unit: 'rows/s' | 'facts/s' | 'jobs/s' | 'hits/s' | 'requests/s' | '%' | 'ms' | 'count';
  /** The same work without the product: what this machine gives at best. Null where there is nothing to compare with. */
  ceiling: number | null;
  ceilingName?: string;
  /** value / ceiling. */
  ratio: number | null;
  /** FAILED: the work was not done right, so the figure is worth nothing. */
  gate: 'passed' | 'FAILED';
  /** The promise: at least this for rates, less than this for everything else, exactly 0 for counts. */
  floor?: number;
  /** What else was seen, in flat names with units. */
  detail?: Readonly<Record<string, number | string>>;
}

/** What a measure gets: a corner of a running stack, and how much to do. */
export interface Bench {
  world: World;
  quick: boolean;
  peers: boolean;
  say(text: string): void;
}

export type Measure = (bench: Bench) => Promise<Measurement[]>;

/** Fills in the ratio and turns the gate's findings into its verdict; what it found is shown with the figure. */
export function measured(parts: Omit<Measurement, 'ratio' | 'gate'> & { faults: readonly string[] }): Measurement {
  const { faults, detail, ...rest } = parts;
  return {
    ...rest,
    value: rounded(rest.value),
    ceiling: rest.ceiling === null ? null : rounded(rest.ceiling),
    ratio: rest.ceiling && !Number.isNaN(rest.value) ? rounded(rest.value / rest.ceiling) : null,
    gate: faults.length === 0 ? 'passed' : 'FAILED',
    ...((detail || faults.length > 0) && { detail: { ...detail, ...(faults.length > 0 && { faults: faults.slice(0, 5).join('; ') }) } }),
  };
}

export function higherIsBetter(unit: Measurement['unit']): boolean {
  return unit.endsWith('/s');
}

/** Undefined where nothing is promised. */
export function floorMet({ floor, unit, value }: Measurement): boolean | undefined {
  if (floor === undefined) return undefined;
  if (unit === 'count') return value === floor;
  return higherIsBetter(unit) ? value >= floor : value < floor;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest rank; of an even count the lower middle. NaN for nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** Three significant digits below a thousand, whole numbers above: more would pretend. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** How many of something in `ms` milliseconds are how many a second. */
export function perSecond(count: number, ms: number): number {
  return (count / ms) * 1_000;
}

/** CPU seconds that this process used since `before`. */
export function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return rounded((user + system) / 1e6);
}
