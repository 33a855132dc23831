import fc from 'fast-check';
import { type Fact, FactEncoder, type WriterSchemas, defineFact, withSequence } from 'factline/contracts';
import { type OutgoingRecord, partitionOf } from 'factline/log';
import { factSchemaInSpec, selectInSpec } from 'factline/testing';
import { type RowOf, projection } from './index.js';

/** The facts of the specs: accounts that are opened, paid into, renamed, closed, and audited, which no projection reads. */

const FIELDS = {
  Opened: [{ name: 'owner', type: 'string' }, { name: 'cents', type: 'long' }],
  Paid: [{ name: 'cents', type: 'long' }],
  Renamed: [{ name: 'owner', type: 'string' }, { name: 'note', type: ['null', 'string'], default: null }],
  Closed: [],
  Audited: [],
} as const;
export type Kind = keyof typeof FIELDS;
export const KINDS = Object.keys(FIELDS) as Kind[];

/** Far above what a registry gives out, so that a real one does not know them. */
export const schemaIdOfKind = (kind: Kind) => 2_000_000_000 + KINDS.indexOf(kind);

export function writerSchema(kind: Kind): object {
  return factSchemaInSpec(`spec.${kind}`, [{ name: 'accountId', type: 'string' }, ...FIELDS[kind]]);
}

/** The writer schemas without a registry. */
export const writers: WriterSchemas = {
  byId: async (id) => writerSchema(KINDS[id - schemaIdOfKind('Opened')]!),
};

export interface Account {
  accountId: string;
}

const select = <Data extends object>(kind: Kind, topic: string) =>
  selectInSpec<Data & Account>({
    factName: `spec.${kind}`,
    topic,
    schema: { type: 'record', name: kind, namespace: 'spec', fields: [{ name: 'accountId', type: 'string' }, ...FIELDS[kind]] },
    fingerprint: kind,
  });

export const opened = (topic: string) => select<{ owner: string; cents: number }>('Opened', topic);
export const paid = (topic: string) => select<{ cents: number }>('Paid', topic);
const renamed = (topic: string) => select<{ owner: string; note: string | null }>('Renamed', topic);
export const closed = (topic: string) => select('Closed', topic);

const columns = { account_id: 'text', owner: 'text', balance: 'bigint', payments: 'integer', note: 'text null', tags: 'jsonb null' } as const;
export type AccountRow = RowOf<typeof columns>;

/** Counts payments, so that a fact applied twice or never is seen. */
export function accounts(topic = 'accounts', options: { name?: string; version?: number; onFold?: (key: string) => void } = {}) {
  const { name = 'accounts', version = 1, onFold } = options;
  return projection({ name, version, key: 'account_id', columns, indexes: [['owner']] })
    .on(opened(topic), (_before, { key, data }) => {
      onFold?.(key);
      return { account_id: key, owner: data.owner, balance: data.cents, payments: 0, note: null, tags: [data.owner, data.cents] };
    })
    .on(paid(topic), (row, { data }) => row && { ...row, balance: row.balance + data.cents, payments: row.payments + 1 })
    .on(renamed(topic), (row, { data }) => row && { ...row, owner: data.owner, note: data.note })
    .on(closed(topic), () => null);
}

export interface Step {
  key: string;
  kind: Kind;
  owner: string;
  cents: number;
}

/** A step and its sequence, as the outbox numbers it. */
export interface Stated extends Step {
  sequence: number;
}

export function numbered(steps: readonly Step[], from: ReadonlyMap<string, number> = new Map()): Stated[] {
  const last = new Map(from);
  return steps.map((step) => {
    const sequence = (last.get(step.key) ?? 0) + 1;
    last.set(step.key, sequence);
    return { ...step, sequence };
  });
}

/** What the read model must hold, worked out without the code under test: an account at a time, each step once, in plain terms. */
export function expected(history: readonly Stated[]): Map<string, AccountRow> {
  const rows = new Map<string, AccountRow>();
  for (const key of new Set(history.map((step) => step.key))) {
    let row: AccountRow | undefined;
    let reached = 0;
    for (const { kind, owner, cents, sequence } of history.filter((step) => step.key === key)) {
      if (sequence <= reached) continue;
      reached = sequence;
      if (kind === 'Opened') row = { account_id: key, owner, balance: cents, payments: 0, note: null, tags: [owner, cents] };
      if (kind === 'Paid' && row) row = { ...row, balance: row.balance + cents, payments: row.payments + 1 };
      if (kind === 'Renamed' && row) row = { ...row, owner, note: owner };
      if (kind === 'Closed') row = undefined;
    }
    if (row) rows.set(key, row);
  }
  return rows;
}

const encoder = new FactEncoder();
const types = Object.fromEntries(
  KINDS.map((kind) => [
    kind,
    defineFact<Account & Record<string, unknown>, 'accountId'>({
      factName: `spec.${kind}`,
      topic: { name: 'accounts', owner: 'spec', keyField: 'accountId', partitions: 3, kind: 'facts', settings: {} },
      keyField: 'accountId',
      schema: writerSchema(kind),
    }),
  ]),
) as unknown as Record<Kind, (key: string, data: Record<string, unknown>) => Fact>;

/** A stated step as the relay publishes it; equal calls give facts with different ids, so keep what is sent twice. */
export function recordOf({ key, kind, owner, cents, sequence }: Stated): OutgoingRecord {
  const data: Record<Kind, Record<string, unknown>> = { Opened: { owner, cents }, Paid: { cents }, Renamed: { owner, note: owner }, Closed: {}, Audited: {} };
  const { value } = encoder.encode(types[kind](key, data[kind]), schemaIdOfKind(kind));
  return { key: Buffer.from(key), value: withSequence(value, sequence) };
}

/** Histories of few keys, so that much happens to each, with texts that quoting gets wrong. */
export function someSteps(maxLength = 60): fc.Arbitrary<Step[]> {
  const text = fc.oneof(fc.constantFrom('', 'NULL', '\\N', '\\.', '{}', '"', "'", '\t\n\r\b\f\v\\', ',', 'ß€😀', '{"a":1}'), fc.string({ unit: 'binary', maxLength: 12 }));
  const owner = text.map((value) => value.replaceAll('\0', '').toWellFormed());
  const step = fc.record({
    key: fc.integer({ min: 1, max: 9 }).map((n) => `k-${n}`),
    kind: fc.constantFrom<Kind>('Opened', 'Opened', 'Paid', 'Paid', 'Paid', 'Renamed', 'Closed', 'Audited'),
    owner,
    cents: fc.integer({ min: -1_000_000, max: 2 ** 40 }),
  });
  return fc.array(step, { minLength: 1, maxLength });
}

/** The same history with some facts delivered again later, as after crashes of a relay. `again`: pairs of which fact, and how much later. */
export function withDuplicates<T>(history: readonly T[], again: readonly [number, number][]): T[] {
  const out = [...history];
  for (const [which, later] of again) {
    const from = which % history.length;
    const at = out.lastIndexOf(history[from]!) + 1 + (later % (out.length - from));
    out.splice(Math.min(at, out.length), 0, history[from]!);
  }
  return out;
}

export const someDuplicates = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 20 });

export const step = (key: string, kind: Kind, cents = 1, owner = 'Ada'): Step => ({ key, kind, owner, cents });

/** Keys of this spec in a given partition. */
export function keyIn(partition: number, partitions: number, nth = 0): string {
  for (let i = 0; ; i++) {
    const key = `p-${i}`;
    if (partitionOf(Buffer.from(key), partitions) === partition && nth-- === 0) return key;
  }
}
