import type { Type } from 'avsc';
import { FactlineError, formatId, newId } from 'factline/kernel';
import { checkedType } from './checked-types.js';
import type { Fact, FactDefinition } from './facts.js';
import { ENCODE_BUFFER_BYTES, FACT_KEY_MAX_BYTES, FACT_MAX_BYTES } from './limits.js';
import { type Guard, compileGuard } from './guard.js';
import { META_FIELD } from './meta.js';
import { compileCheck, type ValueCheck } from './value-check.js';
import { isWellFormed } from './well-formed.js';
import { RECORD_OFFSET } from './wire.js';

export interface EncodedFact {
  /** UUID version 7. */
  id: string;
  /** Confluent wire format, with sequence 0: `withSequence` puts the real one in its place. */
  value: Buffer;
}

interface Writer {
  readonly type: Type;
  readonly check: ValueCheck;
  readonly guard: Guard;
}

/**
 * Turns facts into bytes, in the request that states them, so that a bad fact fails the business transaction.
 * Promised: what it answers can be decoded, is at most FACT_MAX_BYTES (900 KiB), and the data was not changed.
 * @throws FactlineError `fact.invalid` with `details.path`, `fact.too-large`.
 */
export class FactEncoder {
  readonly #writers = new WeakMap<object, Writer>();
  #buffer = Buffer.allocUnsafeSlow(ENCODE_BUFFER_BYTES);

  encode(fact: Fact, schemaId: number): EncodedFact {
    checkKey(fact);
    const { type, check, guard } = this.#writer(fact.type);
    const idBytes = newId();
    const id = formatId(idBytes);
    const { occurredAt, correlationId = id, causationId = correlationId, actor = null } = fact.context;
    const meta = {
      id: idBytes,
      sequence: 0,
      occurredAt: (occurredAt?.getTime() ?? Date.now()) * 1_000,
      correlationId,
      causationId,
      actor,
    };
    const record = check({ ...fact.data, [META_FIELD]: meta }, '');
    const end = this.#write(type, record, fact.type.factName);
    if (guard.needed) guard.check(this.#buffer.subarray(0, end), RECORD_OFFSET); // by the very check that every reader makes
    const value = Buffer.allocUnsafe(end);
    this.#buffer.copy(value, 0, 0, end);
    value[0] = 0;
    value.writeInt32BE(schemaId | 0, 1);
    return { id, value };
  }

  #writer(definition: FactDefinition): Writer {
    let writer = this.#writers.get(definition.schema);
    if (!writer) {
      const type = checkedType(definition.schema);
      writer = { type, check: compileCheck(type), guard: compileGuard(type, (reason, what) => unreadable(definition.factName, reason, what)) };
      this.#writers.set(definition.schema, writer);
    }
    return writer;
  }

  #write(type: Type, record: unknown, factName: string): number {
    let end = type.encode(record, this.#buffer, RECORD_OFFSET);
    if (end < 0) {
      const needed = this.#buffer.length - end;
      if (needed > FACT_MAX_BYTES) throw tooLarge(factName, needed);
      this.#buffer = Buffer.allocUnsafeSlow(Math.min(FACT_MAX_BYTES, needed * 2));
      end = type.encode(record, this.#buffer, RECORD_OFFSET);
    }
    return end;
  }
}

function checkKey({ key, type }: Fact): void {
  if (typeof key === 'string' && key !== '' && isWellFormed(key) && Buffer.byteLength(key) <= FACT_KEY_MAX_BYTES) return;
  throw new FactlineError({
    code: 'fact.invalid',
    kind: 'invalid',
    message: `The key of ${type.factName} must be well-formed text of 1 to ${FACT_KEY_MAX_BYTES} bytes.`,
    advice: 'Give the id of the entity the fact is about.',
    details: { path: type.keyField },
  });
}

function unreadable(factName: string, reason: string, what: string): FactlineError {
  return new FactlineError({
    code: 'fact.invalid',
    kind: 'invalid',
    message: `No reader would take this ${factName}: ${what}.`,
    advice: 'State less in one fact: several facts, or where the large part is kept.',
    details: { path: '', reason },
  });
}

function tooLarge(factName: string, bytes: number): FactlineError {
  return new FactlineError({
    code: 'fact.too-large',
    kind: 'invalid',
    message: `${factName} would take ${bytes} bytes; a fact may take ${FACT_MAX_BYTES}.`,
    advice: 'Store the large part elsewhere and state where it is.',
    details: { bytes, limit: FACT_MAX_BYTES },
  });
}
