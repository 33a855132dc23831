import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Fault } from './schedule.js';

/** What a run was started with: enough to run the same faults again. */
export interface RunBegan {
  type: 'run';
  at: number;
  seed: number;
  minutes: number;
  brokers: 1 | 3;
  schedule: readonly Fault[];
  /** Faults that this machine cannot do, with the reason. */
  skipped: readonly { fault: string; reason: string }[];
}

/** A client asked. Every write has a value that no other write has: a salary. */
export interface Invoked {
  type: 'invoke';
  at: number;
  op: number;
  /** Who asked: one request at a time. */
  client: string;
  action: 'hire' | 'move' | 'read';
  key: string;
  value?: number;
  idempotencyKey?: string;
  /** A read that must contain this write of the same client. */
  after?: number;
}

/** ok: it happened. fail: the answer says that it did not. unknown: no answer, or one that does not know (Jepsen's `info`). */
export interface Completed {
  type: 'complete';
  at: number;
  op: number;
  outcome: 'ok' | 'fail' | 'unknown';
  status?: number;
  code?: string;
  /** What the answers said, one for each request that was sent with the same idempotency key. */
  answers?: readonly string[];
  /** Of a read: the salary found; null when there is nobody. */
  value?: number | null;
  /** Of a read: everything committed up to then is said to be in it. Milliseconds since 1970, by the database. */
  asOf?: number;
}

export interface FaultEvent {
  type: 'fault';
  at: number;
  fault: number;
  kind: string;
  target: string;
  phase: 'begun' | 'healed' | 'failed';
  detail?: string;
}

/** A fact whose transaction committed, as a trigger on the outbox wrote down in that transaction. */
export interface Committed {
  type: 'committed';
  key: string;
  sequence: number;
  id: string;
  value: number | null;
}

/** A fact that is committed and not yet acknowledged by the log. */
export interface Pending {
  type: 'pending';
  key: string;
  sequence: number;
}

/** One record of the topic: `polled` as somebody who followed it saw it during the run, `record` as a scan found it at the end. */
export interface OnTopic {
  type: 'polled' | 'record';
  partition: number;
  offset: number;
  key: string;
  /** Empty for bytes that are no fact. */
  id: string;
  sequence: number;
  /** `hr.EmployeeMoved` */
  name: string;
  value: number | null;
}

/** A row of a read model was written, as a trigger on its table wrote down in that transaction; `order` is that of the writes. */
export interface Applied {
  type: 'applied';
  order: number;
  model: string;
  key: string;
  sequence: number;
  /** Its transaction. */
  tx: string;
}

/** A dead letter was written, or removed again. */
export interface Parked {
  type: 'parked' | 'released';
  order: number;
  model: string;
  partition: number;
  offset: number;
  key: string;
  tx: string;
}

export interface Advanced {
  type: 'advanced';
  order: number;
  model: string;
  partition: number;
  from: number;
  to: number;
  epoch: number;
  generation: number;
}

/** A row of a read model at the end. `facts` and `cents` of those that count. */
export interface Row {
  type: 'row';
  model: string;
  key: string;
  sequence: number;
  value?: number;
  facts?: number;
  cents?: number;
}

/** Where a partition of a model's topic stands at the end. */
export interface Position {
  type: 'position';
  model: string;
  partition: number;
  next: number;
  end: number;
}

/** An operator gave a fact up. */
export interface Skipped {
  type: 'skipped';
  model: string;
  partition: number;
  offset: number;
}

/** What one process said of itself; a process that is started again has another `incarnation`. */
export interface Sampled {
  type: 'sample';
  at: number;
  instance: string;
  incarnation: number;
  fenced: number;
  rejectedSends: number;
  blockedKeys: number;
  heapBytes: number;
  states: readonly string[];
}

/** What a process answered from its cache: the number of the fact that the value shows, 0 for none. */
export interface CachedRead {
  type: 'cached';
  at: number;
  instance: string;
  key: string;
  sequence: number;
  /** Everything committed up to then is said to be in it; null: it does not know. Milliseconds since 1970, by the database. */
  asOf: number | null;
}

/** Who owns the relay, as the database knows. */
export interface RelayOwned {
  type: 'relay';
  at: number;
  epoch: number;
}

export interface GapSeen {
  type: 'gap';
  at: number;
  code: string;
}

/** After the last fault: whether everything was published and applied in time. */
export interface Quiet {
  type: 'quiet';
  reached: boolean;
  tookMs: number;
  withinMs: number;
  left: string;
}

/** A fact that the reaction stated, as a scan found it at the end. */
export interface Caused {
  type: 'caused';
  partition: number;
  offset: number;
  key: string;
  id: string;
  sequence: number;
  /** Id of the fact that it says was its cause. */
  cause: string;
}

/** The topic of the reaction was scanned: what is not there is missing. */
export interface CausedScanned {
  type: 'caused-scanned';
  records: number;
}

/** A re-drive of the reaction's dead letters, as its database knows it at the end. */
export interface Redriven {
  type: 'redriven';
  state: string;
  keys: number;
  tried: number;
  failed: number;
  facts: number;
}

export interface Rebuilt {
  type: 'rebuilt';
  round: number;
  equal: boolean;
  rows: number;
  detail: string;
}

export type Event =
  | RunBegan
  | Invoked
  | Completed
  | FaultEvent
  | Committed
  | Pending
  | OnTopic
  | Applied
  | Parked
  | Advanced
  | Row
  | Position
  | Skipped
  | Sampled
  | CachedRead
  | RelayOwned
  | GapSeen
  | Quiet
  | Caused
  | CausedScanned
  | Redriven
  | Rebuilt;

/** Everything that was done and seen, in the order in which it was written down. Checkers know nothing else. */
export type History = readonly Event[];

type Of<T, E = Event> = E extends { type: infer Own } ? ([Extract<T, Own>] extends [never] ? never : E) : never;

export function ofType<T extends Event['type']>(history: History, ...types: T[]): Of<T>[] {
  const wanted: ReadonlySet<string> = new Set(types);
  return history.filter((event) => wanted.has(event.type)) as Of<T>[];
}

/** Writes a history as JSON lines, each at once: a run that is killed leaves what it saw. */
export class HistoryFile {
  readonly #file: number;
  readonly events: Event[] = [];

  constructor(readonly path: string) {
    this.#file = openSync(path, 'w');
  }

  write(event: Event): void {
    this.events.push(event);
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

export function readHistory(path: string): Event[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}
