import type { Type, types } from 'avsc';
import { Cursor, type Refuse } from './cursor.js';
import { DECODE_MAX_ITEMS } from './limits.js';

/** Walks the bytes of one value without building anything. */
type Walk = (cursor: Cursor) => void;

/** A check of all of a value, whatever part of it is selected, before avsc builds anything from it. */
export interface Guard {
  /**
   * Whether a value of this schema can take more memory than its bytes, so that the check has to come first: five bytes that announce 20 million nulls
   * cost avsc 164 MB, and a block that jumps backwards never ends. True for schemas with arrays, maps, recursion or records repeated very often.
   */
  readonly needed: boolean;
  /** Throws what the guard's `refuse` makes of the first fault. Texts outside map keys are not looked at. */
  check(value: Uint8Array, offset: number): void;
}

/** Compiles a writer schema into its guard. */
export function compileGuard(writer: Type, refuse: Refuse): Guard {
  const compiler = new Compiler();
  const walk = compiler.walk(writer);
  return {
    needed: compiler.unbounded || compiler.nodes > DECODE_MAX_ITEMS,
    check(value, offset) {
      const cursor = new Cursor(value, offset, refuse);
      walk(cursor);
      cursor.end();
    },
  };
}

class Compiler {
  unbounded = false;
  /** How many types the schema has when each repeated record is counted each time: the most that a value without arrays, maps and recursion can hold. */
  nodes = 0;
  readonly #records = new Map<Type, { walk: Walk; open: boolean; nodes: number }>();

  walk(type: Type): Walk {
    this.nodes++;
    switch (type.typeName) {
      case 'null':
        return () => undefined;
      case 'boolean':
        return (cursor) => void cursor.boolean();
      case 'int':
        return (cursor) => void cursor.int();
      case 'long':
        return (cursor) => void cursor.number();
      case 'enum':
        return this.#enumeration((type as types.EnumType).symbols);
      case 'float':
        return (cursor) => cursor.skip(4);
      case 'double':
        return (cursor) => cursor.skip(8);
      case 'fixed':
        return (cursor) => cursor.skip((type as types.FixedType).size);
      case 'string':
      case 'bytes':
        return (cursor) => cursor.skip(cursor.number());
      case 'array':
        return this.#blocks(this.walk((type as types.ArrayType).itemsType));
      case 'map':
        return this.#blocks(this.#entry((type as types.MapType).valuesType as Type));
      case 'record':
      case 'error':
        return this.#record(type as types.RecordType);
      default:
        return this.#union((type as unknown as { types: Type[] }).types);
    }
  }

  #enumeration(symbols: readonly string[]): Walk {
    return (cursor) => void cursor.choice(symbols, 'enum-symbol', 'an enum in it has a symbol');
  }

  #blocks(element: Walk): Walk {
    this.unbounded = true;
    return (cursor) => cursor.blocks(element);
  }

  #entry(value: Type): Walk {
    const walk = this.walk(value);
    return (cursor) => {
      cursor.key();
      walk(cursor);
    };
  }

  #record(type: types.RecordType): Walk {
    const known = this.#records.get(type);
    if (known) {
      if (known.open) this.unbounded = true; // it contains itself
      this.nodes += known.nodes;
      return (cursor) => known.walk(cursor);
    }
    const entry = { walk: nothing as Walk, open: true, nodes: 0 };
    this.#records.set(type, entry);
    const before = this.nodes;
    const fields = type.fields.map((field) => this.walk(field.type));
    const free = type.fields.filter((field) => mayTakeNoByte(field.type)).length;
    entry.open = false;
    entry.nodes = this.nodes - before;
    entry.walk = (cursor) => {
      cursor.enter();
      cursor.spend(free);
      for (const field of fields) field(cursor);
      cursor.leave();
    };
    return entry.walk;
  }

  #union(branches: readonly Type[]): Walk {
    const walks = branches.map((branch) => this.walk(branch));
    return (cursor) => cursor.choice(walks, 'union-branch', 'a union in it names a branch')(cursor);
  }
}

function mayTakeNoByte(type: Type): boolean {
  return type.typeName === 'null' || type.typeName === 'record' || type.typeName === 'error' || (type.typeName === 'fixed' && (type as types.FixedType).size === 0);
}

function nothing(): void {
  // replaced when the record is compiled
}
