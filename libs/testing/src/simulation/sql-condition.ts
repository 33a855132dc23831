/** What a simulated database knows. */
export type SqlValue = string | number | bigint | boolean | null;

/** What a name or a parameter stands for. */
export type SqlLookup = (name: string) => SqlValue;

/** Functions by their names; they answer true or false. */
export type SqlFunctions = Readonly<Record<string, (...values: SqlValue[]) => boolean>>;

type Condition = (lookup: SqlLookup) => SqlValue;

const TOKEN = /\s*(::[a-z0-9_]+(?:\[\])?|'[^']*'|\$\d+|\d+|<=|>=|[<>=(),]|[a-z_][a-z0-9_.]*)/y;

/**
 * Compiles a condition of SQL: and, or, not, comparisons, `is null`, `= any('{...}')`, the given functions. So a simulated database evaluates what a
 * statement says, and not what its author believes it says. @throws Error for anything else.
 */
export function sqlCondition(text: string, functions: SqlFunctions = {}): (lookup: SqlLookup) => boolean {
  const parser = new Parser(tokensOf(text), functions);
  const condition = parser.either();
  if (parser.next !== undefined) throw new Error(`not simulated: '${parser.next}' in the condition ${text}`);
  return (lookup) => condition(lookup) === true;
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

  constructor(
    private readonly tokens: readonly string[],
    private readonly functions: SqlFunctions,
  ) {}

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
    const called = this.functions[this.next ?? ''];
    return called && this.tokens[this.#at + 1] === '(' ? this.#call(called) : this.#comparison();
  }

  #call(called: SqlFunctions[string]): Condition {
    this.#at++;
    const values: Condition[] = [];
    do {
      this.#at++; // the parenthesis or the comma
      values.push(this.#value());
    } while (this.next === ',');
    this.#expect(')');
    return (lookup) => called(...values.map((value) => value(lookup)));
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

function equal(one: SqlValue, other: SqlValue): boolean {
  return one !== null && other !== null && String(one) === String(other);
}

function numberOf(value: SqlValue): bigint {
  if (typeof value === 'bigint') return value;
  return BigInt(String(value));
}
