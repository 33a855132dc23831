import { SimulatedCheckpoints } from 'factline/testing/simulation';
import type { Projection } from '../projection.js';
import { Tables } from '../tables.js';

export interface Letter {
  topic: string;
  partition: number;
  offset: number;
  key: string;
  /** null: it waits behind one that failed. */
  code: string | null;
}

type Values = readonly unknown[];
type Row = Record<string, unknown>;

/** The tables of one build: rows, deleted keys, dead letters, checkpoints. */
export class Build {
  generation = 1;
  rows = new Map<string, { row: Row; sequence: number }>();
  gone = new Map<string, number>();
  letters: Letter[] = [];
  checkpoints = new SimulatedCheckpoints();
  /** Partitions in which a batch was committed that did not begin where the one before had ended; keys that were loaded twice. */
  torn: string[] = [];

  copy(): Build {
    const copy = new Build();
    copy.generation = this.generation;
    copy.rows = new Map(this.rows);
    copy.gone = new Map(this.gone);
    copy.letters = [...this.letters];
    for (const [name, row] of this.checkpoints.rows) copy.checkpoints.rows.set(name, { ...row });
    return copy;
  }
}

/**
 * Answers the statements of `Tables`, recognised by their whole text, as PostgreSQL would on the tables of one live build. The checkpoint's condition is evaluated as it
 * is written. @throws Error for any other statement: nothing is answered by a guess.
 */
export class ReadModelStatements {
  readonly tables: Tables;
  readonly #statements: ReadonlyMap<string, (build: Build, values: Values) => object[]>;

  constructor(
    readonly projection: Projection,
    schema = projection.name,
  ) {
    this.tables = new Tables(projection, schema);
    const { tables } = this;
    this.#statements = new Map<string, (build: Build, values: Values) => object[]>([
      [tables.load, (build, [keys]) => this.#load(build, listOf(keys) as string[])],
      [tables.deadLetters.sql.park, (build, values) => park(build, values)],
      [tables.deadLetters.sql.blockedKeys, (build, [topic, partition]) => [...new Set(lettersIn(build, topic, partition).map(({ key }) => key))].map((key) => ({ key }))],
      [tables.deadLetters.sql.holdBlocked, (build, [topic, partition, keys]) => lettersIn(build, topic, partition).filter(({ key }) => (keys as string[]).includes(key)).map(({ key }) => ({ key }))],
      [tables.deadLetters.sql.countKeys, (build) => [{ keys: new Set(build.letters.map(({ key }) => key)).size }]],
      [tables.about, ({ generation }) => [{ generation, version: projection.version, fingerprint: projection.fingerprint }]],
      [tables.deadLetters.create, () => []],
      [tables.progress.create, () => []],
      [tables.copyRows, (build, [text]) => this.#copyRows(build, text as string)],
      [tables.copyGone, (build, [text]) => copyGone(build, text as string)],
    ]);
  }

  execute(build: Build, text: string, values: Values): object[] {
    const statement = this.#statements.get(text);
    if (statement) return statement(build, values);
    if (text.startsWith('with moved as (')) return this.#apply(build, text, values);
    if (text.startsWith('with given as (') && text.includes('.progress_mark ')) return []; // times beside checkpoints, which decide nothing
    const line = text.replaceAll(/\s+/g, ' ').trim();
    if (line.startsWith('select role, exists ')) return [{ role: 'replay', exists: true }];
    if (/^select exists \(select from pg_namespace where nspname = \$1\) as exists$/.test(line)) return [{ exists: true }];
    if (line.endsWith(' from factline.pause where subscription = $1 and resumed_at is null')) return []; // nobody pauses it
    if (/^select pg_advisory_xact_lock\(|^set local role /.test(line)) return [];
    const rows = build.checkpoints.answer(text, values);
    if (!rows) throw new Error(`This statement is not simulated: ${line}`);
    return rows;
  }

  /** What a statement holds until its transaction ends. */
  locks(build: Build, text: string, values: Values): string[] {
    const [topic, partition, keys] = values;
    if (text.startsWith('with moved as (')) return [`checkpoint ${topic as string}/${partition as number}`];
    if (text === this.tables.deadLetters.sql.holdBlocked) return lettersIn(build, topic, partition).filter(({ key }) => (keys as string[]).includes(key)).map(({ offset }) => `letter ${topic as string}/${partition as number}/${offset}`);
    if (text.includes('set epoch = epoch + 1')) return (topic as string[]).map((name, at) => `checkpoint ${name}/${(partition as number[])[at]}`);
    return [];
  }

  #load(build: Build, keys: readonly string[]): object[] {
    const none = Object.fromEntries(this.tables.columns.map(({ name }) => [name, null]));
    return keys.flatMap((key): object[] => {
      const held = build.rows.get(key);
      if (held) return [{ ...held.row, factline_sequence: held.sequence, gone_key: null }];
      const sequence = build.gone.get(key);
      return sequence === undefined ? [] : [{ ...none, factline_sequence: sequence, gone_key: key }];
    });
  }

  #copyRows(build: Build, text: string): object[] {
    for (const line of linesOf(text)) {
      const row = Object.fromEntries(this.tables.columns.map(({ name, bare }, at) => [name, bare ? Number(line[at]) : line[at]!]));
      const key = row[this.projection.key] as string;
      if (build.rows.has(key)) build.torn.push(`${key} loaded twice`);
      build.rows.set(key, { row, sequence: Number(line.at(-1)) });
    }
    return [];
  }

  #apply(build: Build, text: string, values: Values): object[] {
    const advance = /^with moved as \(([^]+? returning 1)\), ([^]+)$/.exec(text);
    const original = /^with moved as \([^]+? returning 1\), ([^]+)$/.exec(this.tables.apply)![1];
    if (advance?.[2] !== original) throw new Error('This statement is not simulated: the effects of a batch');
    const place = `${values[0] as string}/${values[1] as number}`;
    const endOfLast = Number(build.checkpoints.rows.get(place)?.next_offset);
    if (build.checkpoints.answer(advance![1]!, values)!.length === 0) return [{ moved: 0 }];
    if (values[2] !== endOfLast) build.torn.push(place);
    const [gone, goneSequences, ...columns] = values.slice(8).map(listOf) as [string[], number[], ...unknown[][]];
    const sequences = columns.pop() as number[];
    for (const [at, key] of gone.entries()) {
      build.rows.delete(key);
      build.gone.set(key, goneSequences[at]!);
    }
    for (const [at, sequence] of sequences.entries()) {
      const row = Object.fromEntries(this.tables.columns.map(({ name }, column) => [name, columns[column]![at]]));
      build.rows.set(row[this.projection.key] as string, { row, sequence });
    }
    return [{ moved: 1 }];
  }
}

function park(build: Build, values: Values): object[] {
  const [topic, partition, offsets, keys, , codes] = values as [string, number, number[], string[], unknown, (string | null)[]];
  build.letters.push(...offsets.map((offset, at) => ({ topic, partition, offset, key: keys[at]!, code: codes[at]! })));
  return [];
}

function copyGone(build: Build, text: string): object[] {
  for (const [key, sequence] of linesOf(text)) build.gone.set(key!, Number(sequence));
  return [];
}

function linesOf(text: string): string[][] {
  return text.split('\n').filter((line) => line !== '').map((line) => line.split('\t'));
}

function lettersIn(build: Build, topic: unknown, partition: unknown): Letter[] {
  return build.letters.filter((letter) => letter.topic === topic && letter.partition === partition);
}

/** An array literal of texts and numbers, as `arrayLiteral` writes them. */
function listOf(literal: unknown): unknown[] {
  return JSON.parse(`[${String(literal as string).slice(1, -1)}]`) as unknown[];
}
