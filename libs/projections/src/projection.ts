import { createHash } from 'node:crypto';
import { FactlineError } from 'factline/kernel';
import type { ReceivedFact, SelectedFact } from 'factline/contracts';
import { identifier } from 'factline/store';

/** Column types, by their Postgres names; add ` null` for a column that may be empty. */
type Scalar = 'text' | 'integer' | 'bigint' | 'double precision' | 'boolean' | 'date' | 'timestamptz' | 'numeric' | 'jsonb';
export type ColumnType = Scalar | `${Scalar} null`;

interface Values {
  text: string;
  integer: number;
  /** Exact up to 2^53. */
  bigint: number;
  'double precision': number;
  boolean: boolean;
  /** ISO 8601: `2026-11-21`. */
  date: string;
  /** ISO 8601 with zone. */
  timestamptz: string;
  /** Decimal text, exact. */
  numeric: string;
  jsonb: unknown;
}

type ValueOf<T extends ColumnType> = T extends `${infer S extends Scalar} null` ? Values[S] | null : T extends Scalar ? Values[T] : never;

/** A row of a read model, as the fold sees it. */
export type RowOf<Columns extends Record<string, ColumnType>> = { readonly [Name in keyof Columns]: ValueOf<Columns[Name]> };

/** Pure: no clock, no I/O, no outside state. Answer the new row, null to delete it (or to have none), or the same row for "no change". */
export type Fold<Row, Data extends object> = (row: Row | null, fact: ReceivedFact<Data>) => Row | null;

export interface ProjectionOptions<Columns extends Record<string, ColumnType>> {
  /** Also the name of its Postgres schema and table: `payees.payees`. */
  name: string;
  /** Raise it when the meaning changes; the read model is then rebuilt with `factline replay run`. */
  version: number;
  /** The column that holds the facts' key. */
  key: keyof Columns & string;
  columns: Columns;
  /** Secondary indexes, each a list of columns. */
  indexes?: readonly (readonly (keyof Columns & string)[])[];
}

/** What `projection()` makes: a definition, used live, in a rebuild and in specs alike. */
export class Projection<Row extends object = object> {
  readonly folds = new Map<string, { fact: SelectedFact; fold: Fold<object, object> }>();

  constructor(
    readonly name: string,
    readonly version: number,
    readonly key: string,
    readonly columns: Readonly<Record<string, ColumnType>>,
    readonly indexes: readonly (readonly string[])[],
  ) {}

  /** Says how one fact type changes the row of its key. Facts of types not named here pass by without being decoded. */
  on<Data extends object>(fact: SelectedFact<Data>, fold: Fold<Row, Data>): this {
    if (this.folds.has(fact.factName)) throw invalid(this.name, `'${fact.factName}' is declared twice`, 'Write one .on() for each fact type.');
    this.folds.set(fact.factName, { fact, fold: fold as unknown as Fold<object, object> });
    return this;
  }

  get facts(): SelectedFact[] {
    return [...this.folds.values()].map(({ fact }) => fact);
  }

  get topics(): string[] {
    return [...new Set(this.facts.map(({ topic }) => topic))];
  }

  /**
   * What the rows depend on: name, version, columns, each selection's reader schema and each fold's source text (runs of white space count as one).
   * Not seen: values that a fold reads from outside, which is why folds are pure.
   */
  get fingerprint(): string {
    const parts = [this.name, this.version, this.key, this.columns, this.indexes].map((part) => JSON.stringify(part));
    for (const [name, { fact, fold }] of [...this.folds].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      parts.push(name, fact.topic, fact.fingerprint, fold.toString().replaceAll(/\s+/g, ' '));
    }
    return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
  }
}

/**
 * Declares a read model: a pure fold of facts into one row per key.
 * @throws FactlineError `projection.invalid` (configuration) for names that are no SQL names, a key that is not a text column, or an index over unknown columns.
 */
export function projection<const Columns extends Record<string, ColumnType>>(options: ProjectionOptions<Columns>): Projection<RowOf<Columns>> {
  const { name, version, key, columns, indexes = [] } = options;
  for (const each of [name, ...Object.keys(columns)]) identifier(each);
  if (!Number.isSafeInteger(version) || version < 1) throw invalid(name, 'its version is not a whole number from 1', 'Start with version: 1.');
  if (name.length > 40) throw invalid(name, 'its name is longer than 40 letters', 'Leave room for the names of its generations.');
  if (columns[key] !== 'text') throw invalid(name, `its key column '${key}' is not of type 'text'`, `Add ${key}: 'text' to columns.`);
  for (const column of Object.keys(columns)) {
    if (column.startsWith('factline_')) throw invalid(name, `column '${column}' uses a reserved prefix`, 'Names beginning with factline_ are ours.');
  }
  for (const column of indexes.flat()) if (!(column in columns)) throw invalid(name, `an index names the unknown column '${column}'`, 'Use names from columns.');
  return new Projection(name, version, key, columns, indexes);
}

function invalid(name: string, fault: string, advice: string): FactlineError {
  return new FactlineError({ code: 'projection.invalid', kind: 'configuration', message: `The projection '${name}' cannot be used: ${fault}.`, advice });
}
