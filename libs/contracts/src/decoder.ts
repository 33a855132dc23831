import { isUtf8 } from 'node:buffer';
import type { Type } from 'avsc';
import { FactlineError, formatId, messageOf } from 'factline/kernel';
import { type AvroNode, fullNameOf } from './avro-json.js';
import { fingerprintOf } from './canonical.js';
import { refuseUndeclared } from './contract-entry.js';
import type { FactMeta, ReceivedFact, SelectedFact } from './facts.js';
import { headOf } from './head.js';
import { DECODE_MAX_BYTES } from './limits.js';
import { type Reader, type Reading, metaType, readingOf } from './resolvers.js';
import { RECORD_OFFSET, type UndecodableReason, schemaIdOf, undecodable } from './wire.js';

/** Where writer schemas come from: a registry, a memory of one, a map in a test. */
export interface WriterSchemas {
  /** @throws FactlineError `registry.unavailable` when it cannot say now, `registry.schema-unknown` when there is none. */
  byId(id: number): Promise<object>;
}

/** What is known of a writer id: how to read it, that nobody selected it, or why it cannot be read. */
type Plan = Reading | 'unselected' | FactlineError;

/** The bytes, from which `meta` is read later, are out of reach: whoever logs, copies or serializes a fact gets what is selected and nothing else. */
class DecodedFact implements ReceivedFact {
  readonly #value: Buffer;
  readonly #reading: Reading;
  #meta: FactMeta | undefined;

  constructor(
    readonly name: string,
    readonly key: string,
    readonly data: object,
    value: Buffer,
    reading: Reading,
  ) {
    this.#value = value;
    this.#reading = reading;
  }

  get meta(): FactMeta {
    return (this.#meta ??= readMeta(this.#value, this.#reading));
  }
}

/**
 * Reads facts through an app's selections: unselected facts are not read, unselected fields are skipped and never built.
 * `prepare` once per batch, then `decode` each record synchronously. Not for sharing between threads.
 */
export class FactDecoder {
  /** The begin of any fact, of which no contract says anything: identity, numbers and causes, never data. */
  static readonly head = headOf;
  readonly #selected: ReadonlyMap<string, Reader>;
  readonly #plans = new Map<number, Plan>();
  #lastId = -1;
  #lastPlan: Plan = 'unselected';

  /**
   * @param app whose contract has to declare the selections; without it, any app's.
   * @throws FactlineError `contract.undeclared` (configuration): what no contract declares is not read.
   */
  constructor(
    selected: readonly SelectedFact[],
    private readonly writers: WriterSchemas,
    app?: string,
  ) {
    refuseUndeclared(selected, app);
    this.#selected = new Map(selected.map(({ factName, schema }) => [factName, { schema, fingerprint: fingerprintOf(schema) }]));
  }

  /** Schema ids in these values that `prepare` has to resolve before they can be decoded: almost always none. Values that are no facts are passed over, `decode` refuses them. */
  unprepared(values: Iterable<Buffer | null>): number[] {
    const ids = new Set<number>();
    for (const value of values) {
      if (value === null || value.length < RECORD_OFFSET || value[0] !== 0) continue;
      const id = value.readUInt32BE(1);
      if (this.#needsPlan(id)) ids.add(id);
    }
    return [...ids];
  }

  /**
   * Resolves the writer schemas of these ids. What cannot be read is remembered and thrown by `decode`, for the record it concerns.
   * @throws FactlineError `registry.unavailable` (nothing was decided: prepare again later), `registry.id-reused` (integrity).
   */
  async prepare(schemaIds: Iterable<number>): Promise<void> {
    const missing = [...new Set(schemaIds)].filter((id) => this.#needsPlan(id));
    await Promise.all(missing.map(async (id) => void this.#plans.set(id, await this.#plan(id))));
    this.#lastId = -1;
  }

  /**
   * One record, read synchronously; undefined when this app does not select its fact type.
   * The data shares no memory with the value; `meta` is read from the value when asked for.
   * @throws FactlineError `fact.undecodable` (invalid bytes, `details.reason`), `fact.unreadable` (integrity: the writer does not fit the selection),
   * `registry.schema-unknown`, `fact.unprepared` (internal: `prepare` was not called with this id).
   */
  decode(key: Buffer | string, value: Buffer | null): ReceivedFact | undefined {
    const id = schemaIdOf(value);
    const plan = id === this.#lastId ? this.#lastPlan : this.#find(id);
    if (plan === 'unselected') return undefined;
    if (plan instanceof FactlineError) throw plan;
    return new DecodedFact(plan.factName, keyText(key), readData(plan, value!), value!, plan);
  }

  #find(id: number): Plan {
    const plan = this.#plans.get(id);
    if (plan === undefined) throw unprepared(id);
    this.#lastId = id;
    this.#lastPlan = plan;
    return plan;
  }

  /** An id the registry did not know is asked for again: the registry client bounds how often. */
  #needsPlan(id: number): boolean {
    const plan = this.#plans.get(id);
    return plan === undefined || (plan instanceof FactlineError && plan.code === 'registry.schema-unknown');
  }

  async #plan(id: number): Promise<Plan> {
    let schema: object;
    try {
      schema = await this.writers.byId(id);
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'registry.schema-unknown') return error;
      throw error;
    }
    return this.#planFor(id, schema);
  }

  #planFor(id: number, schema: object): Plan {
    const factName = fullNameOf(schema as AvroNode, undefined) ?? 'an unnamed type';
    const reader = this.#selected.get(factName);
    if (!reader) return 'unselected';
    try {
      return readingOf(reader, schema);
    } catch (error) {
      return unreadable(factName, id, error);
    }
  }
}

function readData(reading: Reading, value: Buffer): object {
  if (value.length > DECODE_MAX_BYTES) throw undecodable('too-large', `it takes ${value.length} bytes, more than ${DECODE_MAX_BYTES}`, { factName: reading.factName });
  if (reading.guard.needed) reading.guard.check(value, RECORD_OFFSET);
  const { value: data, offset } = read(reading.type, value, reading.resolver, reading);
  if (offset !== value.length) throw offset < 0 ? refused(reading, value, 'truncated', 'it ends inside a field') : refused(reading, value, 'trailing', `${value.length - offset} bytes follow its end`);
  return data as object;
}

function readMeta(value: Buffer, reading: Reading): FactMeta {
  const { value: meta, offset } = read(metaType, value, reading.metaResolver, reading);
  if (offset < 0) throw refused(reading, value, 'truncated', 'it ends inside its metadata');
  const { id, ...rest } = meta as Omit<FactMeta, 'id'> & { id: Uint8Array };
  return { id: formatId(id), ...rest };
}

function read(type: Type, value: Buffer, resolver: Reading['resolver'], reading: Reading): { value: unknown; offset: number } {
  try {
    return type.decode(value, RECORD_OFFSET, resolver);
  } catch (error) {
    if (error instanceof FactlineError) throw error;
    throw refused(reading, value, 'malformed', messageOf(error), error);
  }
}

/** What the guard says of bytes that avsc could not read: it knows which fault it is, and is run only here where it is not needed for safety. */
function refused({ guard, factName }: Reading, value: Buffer, reason: UndecodableReason, what: string, cause?: unknown): unknown {
  try {
    guard.check(value, RECORD_OFFSET);
  } catch (found) {
    return found;
  }
  return undecodable(reason, what, { factName }, cause);
}

function keyText(key: Buffer | string): string {
  const text = typeof key === 'string' ? key : key.toString();
  if (text === '') throw undecodable('empty-key', 'its key is empty');
  if (typeof key !== 'string' && text.includes('\ufffd') && !isUtf8(key)) throw undecodable('invalid-utf8', 'its key is not UTF-8');
  return text;
}

function unprepared(id: number): FactlineError {
  return new FactlineError({
    code: 'fact.unprepared',
    kind: 'internal',
    message: `Schema id ${id} was not prepared.`,
    advice: 'Call prepare() with the schema ids of a batch before decoding it.',
    details: { schemaId: id },
  });
}

function unreadable(factName: string, id: number, cause: unknown): FactlineError {
  return new FactlineError({
    code: 'fact.unreadable',
    kind: 'integrity',
    message: `${factName} as written with schema ${id} cannot be read through the selection: ${messageOf(cause)}.`,
    advice: 'Compare the selection in contracts.yaml with that schema; `factline contracts check` shows which field does not fit.',
    details: { factName, schemaId: id },
    cause,
  });
}
