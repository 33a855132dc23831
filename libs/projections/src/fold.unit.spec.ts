import fc from 'fast-check';
import { FactDecoder } from 'factline/contracts';
import type { LogRecord } from 'factline/log';
import { type Projection, foldHistory, projection } from './index.js';
import { arrayLiteral, assertRow, columnsOf, copyLine, escapeCopy } from './encode.js';
import { Folder, type KeyState } from './fold.js';
import { type Stated, accounts, expected, numbered, opened, paid, recordOf, someDuplicates, someSteps, step, withDuplicates, writers } from './accounts.spec.support.js';

/** Records as they lie in one partition. */
const records = (history: readonly Stated[]): LogRecord[] => {
  const made = new Map(history.map((stated) => [stated, recordOf(stated)]));
  return history.map((stated, offset) => ({ offset, timestamp: 0, key: made.get(stated)!.key, value: made.get(stated)!.value }));
};

class Fold {
  readonly decoder: FactDecoder;
  readonly folder: Folder;
  readonly states = new Map<string, KeyState>();

  constructor(readonly model: Projection = accounts(), readonly fromZero = true) {
    this.decoder = new FactDecoder(model.facts, writers);
    this.folder = new Folder(model, this.decoder);
  }

  async all(given: readonly LogRecord[]): Promise<this> {
    await this.decoder.prepare(this.decoder.unprepared(given.map(({ value }) => value)));
    for (const record of given) this.one(record);
    return this;
  }

  one(record: LogRecord): boolean {
    const key = record.key.toString();
    const state = this.states.get(key) ?? { row: null, sequence: 0, seen: 0 };
    this.states.set(key, state);
    return this.folder.fold(state, key, record, { topic: 'accounts', partition: 3, fromZero: this.fromZero });
  }

  get rows(): Map<string, object> {
    return new Map([...this.states].flatMap(([key, { row }]) => (row ? [[key, row] as const] : [])));
  }
}

describe('folding', () => {
  it('C15: gives what an independent fold gives, with duplicates of any age in between', async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(), someDuplicates, async (steps, again) => {
        const history = numbered(steps);
        const { rows, folder } = await new Fold().all(records(withDuplicates(history, again)));
        expect(rows).toEqual(expected(history));
        expect(folder.duplicates).toBe(again.length);
      }),
      { numRuns: 60 },
    );
  });

  it('C15: control: without sequences duplicates are counted twice', async () => {
    const history = numbered([step('a', 'Opened'), step('a', 'Paid', 5)]);
    const renumbered = [...history, { ...history[1]!, sequence: 3 }];
    const { rows } = await new Fold().all(records(renumbered));
    expect(rows).not.toEqual(expected(history));
  });

  it('C14: finds a missing fact of a key, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(), fc.nat(100), async (steps, which) => {
        const history = numbered(steps);
        const missing = history[which % history.length]!;
        fc.pre(history.some(({ key, sequence }) => key === missing.key && sequence > missing.sequence));
        await expect(new Fold().all(records(history.filter((each) => each !== missing)))).rejects.toMatchObject({
          code: 'fact.sequence-gap',
          kind: 'integrity',
          details: { topic: 'accounts', partition: 3, expected: missing.sequence, sequence: missing.sequence + 1 },
        });
      }),
    );
  });

  it('finds a gap behind an unselected fact too: those are counted, not read', async () => {
    const history = numbered([step('a', 'Opened'), step('a', 'Audited'), step('a', 'Audited'), step('a', 'Paid')]);
    expect((await new Fold().all(records(history))).states.get('a')).toMatchObject({ sequence: 4, seen: 4 });
    await expect(new Fold().all(records(history.filter(({ sequence }) => sequence !== 3)))).rejects.toMatchObject({ code: 'fact.sequence-gap' });
  });

  it('of a key that the database knows but this process does not takes any later sequence: unselected facts may lie between', async () => {
    const live = new Fold(accounts(), false);
    live.states.set('a', { row: { account_id: 'a', owner: 'Ada', balance: 1, payments: 0, note: null, tags: null }, sequence: 2, seen: 0 });
    await live.all(records([{ ...step('a', 'Paid'), sequence: 5 }]));
    expect(live.states.get('a')).toMatchObject({ sequence: 5, seen: 5, row: { payments: 1 } });
    await live.all(records([{ ...step('a', 'Paid'), sequence: 5 }, { ...step('a', 'Paid'), sequence: 1 }]));
    expect([live.folder.duplicates, live.states.get('a')!.sequence]).toEqual([2, 5]);
    await expect(live.all(records([{ ...step('a', 'Paid'), sequence: 7 }]))).rejects.toMatchObject({ code: 'fact.sequence-gap' });
  });

  it('a late duplicate does not bring a deleted key back', async () => {
    const history = numbered([step('a', 'Opened'), step('a', 'Closed')]);
    const fold = await new Fold().all(records([...history, history[0]!]));
    expect(fold.rows.size).toBe(0);
    expect(fold.states.get('a')).toMatchObject({ row: null, sequence: 2 });
  });

  it('a deleted key can be opened again', async () => {
    const history = numbered([step('a', 'Opened', 7), step('a', 'Closed'), step('a', 'Opened', 9)]);
    expect((await new Fold().all(records(history))).rows).toEqual(expected(history));
  });

  it('facts of a key that has no row yet leave no trace: nothing has to be deleted', async () => {
    const fold = new Fold();
    const history = records(numbered([step('a', 'Paid'), step('a', 'Closed'), step('a', 'Opened')]));
    await fold.decoder.prepare(fold.decoder.unprepared(history.map(({ value }) => value)));
    expect(history.map((record) => fold.one(record))).toEqual([false, false, true]);
    expect(fold.states.get('a')).toMatchObject({ sequence: 3, seen: 3 });
  });

  it('says where a fold failed', async () => {
    const failing = projection({ name: 'failing', version: 1, key: 'id', columns: { id: 'text' } }).on(paid('accounts'), () => {
      throw new TypeError('no such thing');
    });
    const history = records(numbered([step('a', 'Opened'), step('a', 'Paid')]));
    await expect(new Fold(failing as unknown as Projection).all(history)).rejects.toMatchObject({
      code: 'projection.fold-failed',
      kind: 'integrity',
      retry: false,
      message: expect.stringContaining('accounts[3] offset 1: no such thing'),
      details: { topic: 'accounts', partition: 3, offset: 1, fact: 'spec.Paid' },
    });
  });

  it('D5: refuses a record without a value, and one that is no fact', async () => {
    const [record] = records(numbered([step('a', 'Opened')]));
    await expect(new Fold().all([{ ...record!, value: null }])).rejects.toMatchObject({ code: 'fact.undecodable', kind: 'integrity' });
    await expect(new Fold().all([{ ...record!, value: Buffer.from('{"json":true,"longer":"than a fact"}') }])).rejects.toMatchObject({ code: 'fact.undecodable' });
  });
});

describe('foldHistory', () => {
  const received = (history: readonly Stated[]) =>
    history.map(({ key, kind, owner, cents, sequence }) => ({
      name: `spec.${kind}`,
      key,
      data: { accountId: key, owner, cents, note: owner },
      meta: { id: 'i', sequence, occurredAt: 0, correlationId: 'c', causationId: 'c' },
    }));

  it('gives the rows of a history by the same rules', () => {
    fc.assert(
      fc.property(someSteps(), someDuplicates, (steps, again) => {
        const history = numbered(steps);
        expect(foldHistory(accounts(), received(withDuplicates(history, again)))).toEqual(expected(history));
      }),
    );
  });

  it('refuses a hole, also behind sequence 64, where the number takes two bytes', () => {
    const long = numbered([step('a', 'Opened'), ...Array.from({ length: 200 }, () => step('a', 'Paid'))]);
    expect(foldHistory(accounts(), received(long)).get('a')).toMatchObject({ payments: 200 });
    expect(() => foldHistory(accounts(), received(long.filter(({ sequence }) => sequence !== 150)))).toThrow(expect.objectContaining({ code: 'fact.sequence-gap' }));
  });

  it('refuses a row that does not fit the columns at the end, as the database would', () => {
    const wrong = projection({ name: 'wrong', version: 1, key: 'id', columns: { id: 'text', owner: 'text' } }).on(opened('accounts'), (_row, { key }) => ({ id: key, owner: null as never }));
    expect(() => foldHistory(wrong, received(numbered([step('a', 'Opened')])))).toThrow(expect.objectContaining({ code: 'projection.row-invalid' }));
  });
});

describe('rows', () => {
  const every = projection({
    name: 'every',
    version: 1,
    key: 'k',
    columns: { k: 'text', i: 'integer', b: 'bigint null', d: 'double precision', o: 'boolean', t: 'date', z: 'timestamptz', n: 'numeric', j: 'jsonb' },
  }).on(opened('accounts'), () => null);
  const good = { k: 'a', i: 1, b: null, d: 1.5, o: true, t: '2026-11-21', z: '2026-11-21T10:00:00Z', n: '12.50', j: { a: [1, null] } };

  it('are accepted when every column has its type', () => {
    expect(() => assertRow(every, columnsOf(every), 'a', good)).not.toThrow();
  });

  it.each([
    ['another key', { k: 'b' }],
    ['a number for text', { k: 1 }],
    ['a missing column', { i: undefined }],
    ['null where none may be', { i: null }],
    ['a fraction', { i: 1.5 }],
    ['a number past 32 bits', { i: 2 ** 31 }],
    ['a number past 2^53', { b: 2 ** 53 }],
    ['text for a number', { d: '1.5' }],
    ['text for a boolean', { o: 't' }],
    ['a Date for a date', { t: new Date(0) }],
    ['a number for a numeric', { n: 12.5 }],
    ['nothing for JSON', { j: undefined }],
  ])('are refused with %s', (_name, change) => {
    expect(() => assertRow(every, columnsOf(every), 'a', { ...good, ...change })).toThrow(expect.objectContaining({ code: 'projection.row-invalid', kind: 'integrity' }));
  });

  it('become lines of COPY and arrays, quoted', () => {
    expect(copyLine(columnsOf(every))(good, 7)).toBe('a\t1\t\\N\t1.5\tt\t2026-11-21\t2026-11-21T10:00:00Z\t12.50\t{"a":[1,null]}\t7\n');
    expect(escapeCopy('\\N\t\n\r')).toBe('\\\\N\\t\\n\\r');
    expect(arrayLiteral(['NULL', null, '"\\', 'a,b{}'], String)).toBe('{"NULL",NULL,"\\"\\\\","a,b{}"}');
  });
});
