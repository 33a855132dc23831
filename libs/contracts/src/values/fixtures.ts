import type { Type } from 'avsc';
import { FactlineError } from 'factline/kernel';
import { type AvroNode, definitionsIn } from '../avro-json.js';
import { checkedType } from '../checked-types.js';
import { type Guard, compileGuard } from '../guard.js';
import { FIXTURES_MAX, FIXTURE_MAX_BYTES } from '../limits.js';
import { undecodable } from '../wire.js';
import { choicesIn } from './choices.js';
import { type Making, madeValue } from './made-value.js';

/** One value of a schema and what is special about it. */
export interface Fixture {
  /** `usual`, `least`, `most`, `lowest`, or the one place where it is not usual: `phone: null`, `lines[].kind: GIFT`, `paid: shop.Cash`, `currency: left out`. */
  readonly name: string;
  /** As the encoder takes it. */
  readonly value: unknown;
}

export interface Fixtures {
  readonly fixtures: readonly Fixture[];
  /** Names of what was not made: beyond the limits, or because no value of it ends. */
  readonly leftOut: readonly string[];
}

/** Elements of each array and map of `most`; one where three of each are too many together. */
const SEVERAL = [3, 1];

/**
 * Values of a bundled writer schema that stand for all that may be written with it, always the same ones: one as usual, one with as little as possible, one with as much
 * as possible, one with the lowest numbers, and one for each branch of each union, each symbol of each enum, each array and map that is empty or not, and each field with
 * a default that is left out. Those that differ in name only are one: it has the first name.
 *
 * Promised: each is accepted by the encoder and the same after it was read; of a type that occurs at several places each choice occurs at the first of them.
 * At most 1,000 (FIXTURES_MAX), each of at most 512 KiB (FIXTURE_MAX_BYTES), 1,000 values and 64 levels; a record inside itself once or twice; what is beyond is named in `leftOut`.
 * Not promised: pairs of choices. They stay inside what every part of the way can hold, which is less than Avro allows: whole numbers to 2^53 - 1, dates and times in the
 * years 1 to 9999 (1684 to 2255 in microseconds), decimals of at most 1,000 digits, well-formed text without U+0000, which Postgres has no text with, no NaN and no infinities.
 * @param fields whose branches, symbols and so on are asked for; absent: all.
 * @throws Error of avsc for a schema that it does not take.
 */
export function fixturesOf(schema: AvroNode, fields?: ReadonlySet<string>): Fixtures {
  const definitions = definitionsIn(schema);
  const judge = new Judge(checkedType(schema));
  const found = choicesIn(schema, definitions, FIXTURES_MAX, fields);
  const leftOut: string[] = [];
  const fixtures: Fixture[] = [];
  const add = (name: string, ...makings: readonly Making[]) => {
    if (fixtures.length >= FIXTURES_MAX) return void leftOut.push(name);
    const value = makings.map((making) => madeValue(schema, definitions, making)).find((each) => each !== undefined && judge.isSound(each));
    if (value === undefined) leftOut.push(name);
    else if (judge.isNew(value)) fixtures.push({ name, value });
  };
  add('usual', { filling: 'usual' });
  add('least', { filling: 'least' });
  add('most', ...SEVERAL.map((elements) => ({ filling: 'most', elements }) as const));
  add('lowest', { filling: 'lowest' });
  for (const { name, decisions } of found.choices) add(name, { filling: 'usual', decisions });
  return { fixtures, leftOut: [...leftOut, ...found.leftOut] };
}

class Judge {
  readonly #seen = new Set<string>();
  readonly #guard: Guard;

  constructor(private readonly type: Type) {
    this.#guard = compileGuard(type, undecodable);
  }

  /** Whether a decoder takes it: it refuses what is nested too deep. */
  isSound(value: unknown): boolean {
    const bytes = this.type.toBuffer(value);
    if (bytes.length > FIXTURE_MAX_BYTES) return false;
    try {
      this.#guard.check(bytes, 0);
      return true;
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'fact.undecodable') return false;
      throw error;
    }
  }

  isNew(value: unknown): boolean {
    const bytes = this.type.toBuffer(value).toString('latin1');
    if (this.#seen.has(bytes)) return false;
    this.#seen.add(bytes);
    return true;
  }
}
