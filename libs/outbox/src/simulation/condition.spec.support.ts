import { parseSnapshot } from '../snapshot.js';

export type Value = string | number | bigint | boolean | null;

/** What a name or a parameter stands for. */
export type Lookup = (name: string) => Value;

type Condition = (lookup: Lookup) => Value;

const TOKEN = /\s*(::[a-z0-9_]+(?:\[\])?|'[^']*'|\$\d+|\d+|<=|>=|[<>=(),]|[a-z_][a-z0-9_.]*)/y;

/**
 * Compiles the part of SQL that stands in the relay's conditions: and, or, not, comparisons, `is null`, `= any('{...}')`, pg_visible_in_snapshot.
 * So the statements under test are evaluated as they are written. @throws Error for anything else.
 */
export function conditionOf(text: string): (lookup: Lookup) => boolean {
  const parser = new Parser(tokensOf(text));
  const condition = parser.either();
  if (parser.next !== undefined) throw new Error(`not simulated: '${parser.next}' in the condition ${text}`);
  return (lookup) => condition(lookup) === true;
}

function visibleIn(xid: bigint, snapshot: string): boolean {
  const { xmax, running } = parseSnapshot(snapshot);
  return xid < BigInt(xmax) && !running.includes(String(xid));
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (const trimmed = text.trim(); TOKEN.lastIndex < trimmed.length; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw new Error(`not simulated: ${trimmed.slice(at)}`);
    if (!match[1]!.startsWith('::')) tokens.push(match[1]!); // a cast changes how a literal is read, and here all numbers are read alike
  }
  return tokens;
}

class Parser {
  #at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  get next(): string | undefined {
    return this.tokens[this.#at];
  }

  either(): Condition {
    const one = this.#both();
    if (!this.#take('or')) return one;
    const other = this.either();
    return (lookup) => one(lookup) === true || other(lookup) === true;
  }

  #both(): Condition {
    const one = this.#single();
    if (!this.#take('and')) return one;
    const other = this.#both();
    return (lookup) => one(lookup) === true && other(lookup) === true;
  }

  #single(): Condition {
    if (this.#take('not')) {
      const inner = this.#single();
      return (lookup) => inner(lookup) !== true;
    }
    if (this.#take('(')) {
      const inner = this.either();
      this.#expect(')');
      return inner;
    }
    if (this.#take('pg_visible_in_snapshot')) return this.#visible();
    return this.#comparison();
  }

  #visible(): Condition {
    this.#expect('(');
    const xid = this.#value();
    this.#expect(',');
    const snapshot = this.#value();
    this.#expect(')');
    return (lookup) => visibleIn(numberOf(xid(lookup)), String(snapshot(lookup)));
  }

  #comparison(): Condition {
    const left = this.#value();
    if (this.#take('is')) {
      this.#expect('null');
      return (lookup) => left(lookup) === null;
    }
    const operator = this.tokens[this.#at++];
    if (operator === '=' && this.#take('any')) {
      this.#expect('(');
      const list = this.#value();
      this.#expect(')');
      return (lookup) => String(list(lookup)).slice(1, -1).split(',').some((each) => equal(left(lookup), each));
    }
    const right = this.#value();
    if (operator === '=') return (lookup) => equal(left(lookup), right(lookup));
    if (operator === '<') return (lookup) => numberOf(left(lookup)) < numberOf(right(lookup));
    if (operator === '>') return (lookup) => numberOf(left(lookup)) > numberOf(right(lookup));
    if (operator === '>=') return (lookup) => numberOf(left(lookup)) >= numberOf(right(lookup));
    throw new Error(`not simulated: the operator ${operator}`);
  }

  #value(): Condition {
    const token = this.tokens[this.#at++];
    if (token === undefined || /^[(),<>=]/.test(token)) throw new Error(`not simulated: '${token}' as a value`);
    if (token.startsWith("'")) return () => token.slice(1, -1);
    if (/^\d/.test(token)) return () => token;
    return (lookup) => lookup(token);
  }

  #take(token: string): boolean {
    if (this.next !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new Error(`not simulated: '${this.next}' where '${token}' was expected`);
  }
}

function equal(one: Value, other: Value): boolean {
  return one !== null && other !== null && String(one) === String(other);
}

function numberOf(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  return BigInt(String(value));
}
