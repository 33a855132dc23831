import { SHED_CONNECTION_WAIT_MS, SHED_LAG_FACTS, SHED_LOOP_DELAY_MS, SHED_OUTBOX_FULLNESS } from './limits.js';
import type { Priority } from './priority.js';

/** One signal as it stands: 0 is idle, 1 its limit. */
export interface Reading {
  name: string;
  pressure: number;
  /** What it never sheds, and anything more important. */
  spares: Priority;
}

/** What a service knows of its load. What it does not measure is left out. */
export interface Load {
  /** Share of the outbox's nearest hard limit: of facts, bytes or age. */
  outboxFullness?: number;
  /** Facts that the slowest subscription is behind. */
  lagFacts?: number;
  /** How long statements wait for a connection, weighted towards now: `Store.connectionWaitMs`. */
  connectionWaitMs?: number;
  eventLoopDelayMs?: number;
}

/** What is too much; Infinity for a signal that does not matter here. */
export type LoadLimits = Required<Load>;

const loadLimits: LoadLimits = {
  outboxFullness: SHED_OUTBOX_FULLNESS,
  lagFacts: SHED_LAG_FACTS,
  connectionWaitMs: SHED_CONNECTION_WAIT_MS,
  eventLoopDelayMs: SHED_LOOP_DELAY_MS,
};

type Signal = readonly [keyof Load, name: string, spares: Priority];

const DATABASE: Signal = ['connectionWaitMs', 'database', 'critical'];
const SIGNALS: readonly Signal[] = [
  ['outboxFullness', 'outbox', 'critical'],
  ['lagFacts', 'lag', 'normal'],
  DATABASE,
  ['eventLoopDelayMs', 'event-loop', 'critical'],
];

/** A load in parts of its limits, as `Shedder.observe` takes it. */
export function readings(load: Load, limits: Partial<LoadLimits> = {}): Reading[] {
  return SIGNALS.map((signal) => readingOf(signal, load, limits));
}

/** The wait for a connection alone, as `Shedder.admit` takes it: asked for with each request. */
export function queueReading(load: Load, limits: Partial<LoadLimits> = {}): Reading {
  return readingOf(DATABASE, load, limits);
}

function readingOf([signal, name, spares]: Signal, load: Load, limits: Partial<LoadLimits>): Reading {
  return { name, spares, pressure: (load[signal] ?? 0) / (limits[signal] ?? loadLimits[signal]) };
}
