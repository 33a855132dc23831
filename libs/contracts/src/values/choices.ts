import { type AvroJson, type AvroNode, fullNameOf, isPrimitive } from '../avro-json.js';
import { type Decisions, EMPTY, FILLED, decision, nameOfBranch, placeOfBranch, placeOfField } from './made-value.js';

/** Something that a producer may do in one way or another, done in one of them. */
export interface Choice {
  /** `phone: null`, `lines[].kind: GIFT`, `paid<shop.Card>.brand: left out`, `lines: empty`. */
  readonly name: string;
  readonly decisions: Decisions;
}

export interface Choices {
  readonly choices: readonly Choice[];
  /** Places that were not looked into, because a type that is looked into elsewhere occurs in too many. */
  readonly leftOut: readonly string[];
}

/** A named type that was looked into already, at another place. */
interface Place {
  readonly definition: AvroNode;
  readonly place: string;
  readonly decisions: readonly Decided[];
  readonly open: ReadonlySet<string>;
}

type Decided = readonly [key: string, decided: number];

/**
 * Each branch of each union, each symbol of each enum, each array and map empty and not, each field with a default left out: where a type occurs first, then at its other
 * places, until there are `enough`. Linear in the schema and in `enough`; a type inside itself is not looked into again.
 * @param fields of the record that are looked into; absent: all.
 */
export function choicesIn(schema: AvroNode, definitions: ReadonlyMap<string, AvroNode>, enough: number, fields?: ReadonlySet<string>): Choices {
  const finder = new Finder(definitions, fields);
  finder.look(schema, '', [], new Set());
  for (let looked = 0; finder.again.length > looked; looked++) {
    if (finder.choices.length >= enough || looked >= enough) {
      const leftOut = finder.again.slice(looked).map(({ definition, place }) => `${place}: as ${fullNameOf(definition, undefined)} elsewhere`);
      return { choices: finder.choices, leftOut };
    }
    finder.lookAgain(finder.again[looked]!);
  }
  return { choices: finder.choices, leftOut: [] };
}

class Finder {
  readonly choices: Choice[] = [];
  readonly again: Place[] = [];
  readonly #known = new Set<string>();

  constructor(
    private readonly definitions: ReadonlyMap<string, AvroNode>,
    private readonly fields: ReadonlySet<string> | undefined,
  ) {}

  look(schema: AvroJson, place: string, decisions: readonly Decided[], open: ReadonlySet<string>): void {
    if (Array.isArray(schema)) return this.#union(schema, place, decisions, open);
    const node = typeof schema === 'string' ? this.definitions.get(schema) : schema;
    if (node === undefined || (typeof schema === 'string' && isPrimitive(schema))) return;
    const fullName = fullNameOf(node, undefined);
    if (fullName === undefined) return this.#held(node, place, decisions, open);
    if (open.has(fullName)) return;
    if (this.#known.has(fullName)) this.again.push({ definition: node, place, decisions, open });
    else this.lookAgain({ definition: node, place, decisions, open });
  }

  lookAgain({ definition, place, decisions, open }: Place): void {
    const fullName = fullNameOf(definition, undefined)!;
    this.#known.add(fullName);
    definition.symbols?.forEach((symbol, at) => this.#add('symbol', place, at, symbol, decisions));
    const inside = new Set([...open, fullName]);
    for (const field of definition.fields ?? []) {
      if (place === '' && this.fields?.has(field.name) === false) continue;
      const at = placeOfField(place, field.name);
      this.look(field.type, at, decisions, inside);
      if ('default' in field) this.#add('left out', at, 1, 'left out', decisions); // last: `phone: null` says more, where that is its default
    }
  }

  #held({ items, values, type }: AvroNode, place: string, decisions: readonly Decided[], open: ReadonlySet<string>): void {
    const inner = items ?? values;
    if (inner === undefined) return typeof type === 'object' ? this.look(type, place, decisions, open) : undefined;
    this.#add('elements', place, EMPTY, 'empty', decisions);
    this.#add('elements', place, FILLED, 'one', decisions);
    this.look(inner, `${place}${items === undefined ? '{}' : '[]'}`, decisions, open);
  }

  #union(branches: readonly AvroJson[], place: string, decisions: readonly Decided[], open: ReadonlySet<string>): void {
    branches.forEach((branch, at) => {
      const decided = this.#add('branch', place, at, nameOfBranch(branch), decisions);
      this.look(branch, placeOfBranch(place, branches, branch), decided, open);
    });
  }

  #add(what: Parameters<typeof decision>[0], place: string, decided: number, said: string, before: readonly Decided[]): readonly Decided[] {
    const decisions: readonly Decided[] = [...before, [decision(what, place), decided]];
    this.choices.push({ name: place === '' ? said : `${place}: ${said}`, decisions: new Map(decisions) });
    return decisions;
  }
}
