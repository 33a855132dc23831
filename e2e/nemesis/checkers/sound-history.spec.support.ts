import type { Event, History, OnTopic } from '../history.js';

const record = (type: OnTopic['type'], partition: number, offset: number, key: string, sequence: number, value: number): OnTopic => ({
  type,
  partition,
  offset,
  key,
  sequence,
  id: `${key}${sequence}`,
  name: sequence === 1 ? 'hr.EmployeeCreated' : 'hr.EmployeeMoved',
  value,
});

/** Two employees: `a` whose last two facts are twice on the wire, and `b` with bytes between its two facts that are none. */
function topic(type: OnTopic['type']): Event[] {
  return [
    record(type, 0, 0, 'a', 1, 100),
    record(type, 0, 1, 'a', 2, 101),
    record(type, 0, 2, 'a', 3, 103),
    record(type, 0, 3, 'a', 2, 101),
    record(type, 0, 4, 'a', 3, 103),
    record(type, 1, 0, 'b', 1, 102),
    { type, partition: 1, offset: 1, key: 'b', sequence: 0, id: '', name: '', value: null },
    record(type, 1, 2, 'b', 2, 104),
  ];
}

const write = (op: number, at: number, key: string, value: number, outcome: 'ok' | 'fail' | 'unknown', answers?: readonly string[]): Event[] => [
  { type: 'invoke', at, op, client: 'writer-0', action: value === 100 || value === 102 ? 'hire' : 'move', key, value },
  { type: 'complete', at: at + 5, op, outcome, ...(answers && { answers }), ...(outcome === 'fail' && { status: 503, code: 'store.unavailable' }) },
];

const read = (op: number, at: number, key: string, value: number | null, asOf: number, after?: number): Event[] => [
  { type: 'invoke', at, op, client: 'reader-0', action: 'read', key, ...(after !== undefined && { after }) },
  { type: 'complete', at: at + 5, op, outcome: 'ok', status: 200, value, asOf },
];

const committed = (key: string, sequence: number, value: number): Event => ({ type: 'committed', key, sequence, id: `${key}${sequence}`, value });

/** A history in which everything went as promised, although a process was killed, a write had no answer, and a key was blocked. */
export const SOUND: History = [
  ...write(1, 10, 'a', 100, 'ok'),
  ...write(2, 20, 'a', 101, 'ok', ['version 2', 'version 2']),
  ...write(3, 30, 'b', 102, 'ok'),
  ...write(4, 40, 'a', 103, 'unknown'),
  ...write(5, 50, 'b', 104, 'ok'),
  ...write(6, 60, 'a', 105, 'unknown'),
  ...write(7, 70, 'a', 106, 'fail'),
  ...read(8, 80, 'a', 101, 26, 2),
  ...read(9, 90, 'a', 103, 70),
  ...read(10, 100, 'b', 102, 40),
  { type: 'cached', at: 110, instance: 'tally-1', key: 'a', sequence: 2, asOf: 26 },
  { type: 'cached', at: 110, instance: 'tally-1', key: 'b', sequence: 0, asOf: null },
  { type: 'sample', at: 100, instance: 'hr-1', incarnation: 1, fenced: 0, rejectedSends: 0, blockedKeys: 0, heapBytes: 50_000_000, states: [] },
  ...topic('polled'),
  ...topic('record'),
  committed('a', 1, 100),
  committed('a', 2, 101),
  committed('b', 1, 102),
  committed('a', 3, 103),
  committed('b', 2, 104),
  { type: 'applied', order: 1, model: 'payees', key: 'a', sequence: 1, tx: '1' },
  { type: 'applied', order: 2, model: 'payees', key: 'b', sequence: 1, tx: '2' },
  { type: 'parked', order: 3, model: 'payees', partition: 1, offset: 1, key: 'b', tx: '2' },
  { type: 'applied', order: 4, model: 'payees', key: 'a', sequence: 3, tx: '3' },
  { type: 'parked', order: 5, model: 'payees', partition: 1, offset: 2, key: 'b', tx: '4' },
  { type: 'released', order: 6, model: 'payees', partition: 1, offset: 1, key: 'b', tx: '5' },
  { type: 'applied', order: 7, model: 'payees', key: 'b', sequence: 2, tx: '6' },
  { type: 'released', order: 8, model: 'payees', partition: 1, offset: 2, key: 'b', tx: '6' },
  { type: 'skipped', model: 'payees', partition: 1, offset: 1 },
  { type: 'advanced', order: 1, model: 'payees', partition: 0, from: 0, to: 3, epoch: 1, generation: 1 },
  { type: 'advanced', order: 2, model: 'payees', partition: 0, from: 3, to: 5, epoch: 2, generation: 1 },
  { type: 'row', model: 'payees', key: 'a', sequence: 3, value: 103 },
  { type: 'row', model: 'payees', key: 'b', sequence: 2, value: 104 },
  { type: 'position', model: 'payees', partition: 0, next: 5, end: 5 },
  { type: 'position', model: 'payees', partition: 1, next: 3, end: 3 },
  { type: 'applied', order: 1, model: 'tally', key: 'a', sequence: 2, tx: '1' },
  { type: 'applied', order: 2, model: 'tally', key: 'a', sequence: 3, tx: '2' },
  { type: 'parked', order: 3, model: 'tally', partition: 1, offset: 1, key: 'b', tx: '3' },
  { type: 'parked', order: 4, model: 'tally', partition: 1, offset: 2, key: 'b', tx: '3' },
  { type: 'row', model: 'tally', key: 'a', sequence: 3, facts: 2, cents: 204 },
  { type: 'position', model: 'tally', partition: 0, next: 5, end: 5 },
  { type: 'position', model: 'tally', partition: 1, next: 3, end: 3 },
  // The reaction: the bytes of b block it, are given up, and what waits behind them is re-driven. One of its facts is twice on the wire.
  { type: 'applied', order: 1, model: 'payslips', key: 'a', sequence: 2, tx: '1' },
  { type: 'parked', order: 2, model: 'payslips', partition: 1, offset: 1, key: 'b', tx: '2' },
  { type: 'applied', order: 3, model: 'payslips', key: 'a', sequence: 3, tx: '3' },
  { type: 'parked', order: 4, model: 'payslips', partition: 1, offset: 2, key: 'b', tx: '4' },
  { type: 'released', order: 5, model: 'payslips', partition: 1, offset: 1, key: 'b', tx: '5' },
  { type: 'applied', order: 6, model: 'payslips', key: 'b', sequence: 2, tx: '6' },
  { type: 'released', order: 7, model: 'payslips', partition: 1, offset: 2, key: 'b', tx: '6' },
  { type: 'position', model: 'payslips', partition: 0, next: 5, end: 5 },
  { type: 'position', model: 'payslips', partition: 1, next: 3, end: 3 },
  { type: 'caused', partition: 0, offset: 0, key: 'a', id: 'p1', sequence: 1, cause: 'a2' },
  { type: 'caused', partition: 0, offset: 1, key: 'a', id: 'p2', sequence: 2, cause: 'a3' },
  { type: 'caused', partition: 0, offset: 2, key: 'a', id: 'p2', sequence: 2, cause: 'a3' },
  { type: 'caused', partition: 1, offset: 0, key: 'b', id: 'p3', sequence: 1, cause: 'b2' },
  { type: 'caused-scanned', records: 4 },
  { type: 'redriven', state: 'done', keys: 1, tried: 1, failed: 0, facts: 1 },
  { type: 'rebuilt', round: 1, equal: true, rows: 2, detail: '' },
  { type: 'quiet', reached: true, tookMs: 900, withinMs: 60_000, left: '' },
];

/** The sound history with the events that match changed, or left out. */
export function where(match: Partial<Record<string, unknown>>, change: Partial<Record<string, unknown>> | undefined): Event[] {
  let met = 0;
  const changed = SOUND.flatMap((event) => {
    const hit = Object.entries(match).every(([name, value]) => (event as unknown as Record<string, unknown>)[name] === value);
    if (!hit) return [event];
    met++;
    return change ? [{ ...event, ...change } as Event] : [];
  });
  if (met === 0) throw new Error(`Nothing in the history matches ${JSON.stringify(match)}.`);
  return changed;
}

/** The sound history with more events. */
export function and(...more: Event[]): Event[] {
  return [...SOUND, ...more];
}

export const extraRecord = record;
