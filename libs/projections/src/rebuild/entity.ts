import { type Checkpoint, checkpointTable, readCheckpoints } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import { type LogRecord, partitionOf } from 'factline/log';
import { type Tx, identifier } from 'factline/store';
import { Folder, type KeyState } from '../fold.js';
import { readGivenUp } from '../given-up.js';
import { loadStates } from '../key-states.js';
import type { RebuildContext } from './context.js';
import { copyLine, assertRow } from '../encode.js';

export interface RebuiltKey {
  key: string;
  /** Facts of the key that were folded, of `scanned` records read. */
  facts: number;
  scanned: number;
  outcome: 'unchanged' | 'written' | 'deleted' | 'absent';
  elapsedMs: number;
}

/**
 * Folds one key from offset zero and replaces its live row. Reads the one partition that holds the key; other keys are passed over undecoded.
 * The live consumer is held by its checkpoint row for the last few facts only, and fenced, so that it forgets the row it remembers.
 * @throws `rebuild.nothing-live` when there is no live build; `projection.outdated` when another version built it.
 */
export async function rebuildKey(context: RebuildContext, key: string): Promise<RebuiltKey> {
  const started = performance.now();
  const live = await context.build('live');
  if (live?.about.fingerprint !== context.projection.fingerprint) throw notThisCode(context.projection.name);
  const [topic] = await context.log.describe([context.topic]);
  const partition = partitionOf(Buffer.from(key), topic!.partitions.length);
  const reader = new KeyReader(context, key, partition);
  await reader.readTo((await context.logEnds()).get(partition)!);
  const outcome = await context.session.transaction(async (tx) => {
    const at = await holdPartition(tx, context, partition);
    const state = await reader.stateAt(at.nextOffset);
    await tx.query(`delete from ${context.tables('live').deadLetters.name} where topic = $1 and partition = $2 and key = $3`, [context.topic, partition, key]); // all of them are in the row now
    return replaceRow(tx, context, key, state);
  });
  return { key, facts: reader.facts, scanned: reader.scanned, outcome, elapsedMs: performance.now() - started };
}

/** Remembers the key's records, which are few, so that the state at any earlier position can be folded. */
class KeyReader {
  readonly #records: LogRecord[] = [];
  readonly #key: Buffer;
  #next = 0;
  scanned = 0;
  facts = 0;

  constructor(
    private readonly context: RebuildContext,
    private readonly key: string,
    private readonly partition: number,
  ) {
    this.#key = Buffer.from(key);
  }

  async readTo(end: number): Promise<void> {
    if (end <= this.#next) return;
    await this.context.log.read({
      topic: this.context.topic,
      ranges: [{ partition: this.partition, from: this.#next, to: end }],
      batch: ({ records }) => {
        this.scanned += records.length;
        for (const record of records) if (record.key.equals(this.#key)) this.#records.push(record);
      },
    });
    this.#next = end;
  }

  async stateAt(offset: number): Promise<KeyState> {
    await this.readTo(offset);
    const decoder = this.context.decoder();
    const folder = new Folder(this.context.projection, decoder);
    const records = this.#records.filter((record) => record.offset < offset);
    await decoder.prepare(decoder.unprepared(records.map(({ value }) => value)));
    const state: KeyState = { row: null, sequence: 0, seen: 0 };
    const givenUp = new Set((await readGivenUp(this.context.session, this.context.projection.name, this.context.topic)).get(this.partition));
    for (const record of records) {
      if (givenUp.has(record.offset)) folder.passOver(state, record);
      else folder.fold(state, this.key, record, { topic: this.context.topic, partition: this.partition, fromZero: true });
    }
    this.facts = folder.folded;
    return state;
  }
}

/** Locks the checkpoint, so that the live consumer waits, and raises its epoch, so that it reads its position and rows again. */
async function holdPartition(tx: Tx, context: RebuildContext, partition: number): Promise<Checkpoint> {
  await tx.query(`update ${checkpointTable(context.names.live)} set epoch = epoch + 1 where topic = $1 and partition = $2`, [context.topic, partition]);
  const at = (await readCheckpoints(tx, context.names.live)).find((checkpoint) => checkpoint.partition === partition);
  if (at) return at;
  throw new FactlineError({
    code: 'rebuild.nothing-live',
    kind: 'conflict',
    message: `The live model of '${context.projection.name}' has not read partition ${partition} of '${context.topic}' yet.`,
    advice: 'Start the app; it reads the whole history by itself.',
  });
}

async function replaceRow(tx: Tx, context: RebuildContext, key: string, state: KeyState): Promise<RebuiltKey['outcome']> {
  const tables = context.tables('live');
  const keyColumn = identifier(context.projection.key);
  const before = (await loadStates(tx, tables, [key])).get(key);
  await tx.query(`delete from ${tables.table} where ${keyColumn} = $1`, [key]);
  await tx.query(`delete from ${tables.gone} where key = $1`, [key]);
  if (state.row === null) {
    if (state.sequence > 0) await tx.query(`insert into ${tables.gone} (key, sequence) values ($1, $2)`, [key, state.sequence]);
    return before?.row ? 'deleted' : 'absent';
  }
  assertRow(context.projection, tables.columns, key, state.row);
  const row = state.row as Record<string, unknown>;
  const names = tables.columns.map(({ name }) => identifier(name));
  const places = tables.columns.map(({ type }, i) => `$${i + 1}::${type}`);
  const values = tables.columns.map(({ name, toText }) => (row[name] === null ? null : toText(row[name])));
  await tx.query(`insert into ${tables.table} (${names.join(', ')}, factline_sequence) values (${places.join(', ')}, ${state.sequence})`, values);
  const line = copyLine(tables.columns);
  return before?.row && line(before.row, before.sequence) === line(row, state.sequence) ? 'unchanged' : 'written';
}

function notThisCode(projection: string): FactlineError {
  return new FactlineError({
    code: 'projection.outdated',
    kind: 'conflict',
    message: `The live model of '${projection}' was built by another version of its code, or not at all: one row alone cannot be rebuilt.`,
    advice: `Rebuild all of it: factline replay run ${projection}`,
  });
}
