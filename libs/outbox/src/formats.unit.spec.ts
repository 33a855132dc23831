import { FactlineError } from 'factline/kernel';
import { parsePage, readPage } from './page.js';
import { firstPage, follows, nextPage, parseSnapshot } from './snapshot.js';
import { readToken, tokenOf } from './token.js';

/** The bytes that Postgres sends for `COPY ... (FORMAT binary)`. */
function copyOf(rows: readonly (readonly (Buffer | null)[])[]): Buffer {
  const parts: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')];
  for (const row of rows) {
    parts.push(int16(row.length));
    for (const field of row) parts.push(int32(field?.length ?? -1), field ?? Buffer.alloc(0));
  }
  return Buffer.concat([...parts, int16(-1)]);
}
const int16 = (value: number) => Buffer.from(Int16Array.of(value).buffer).swap16();
const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32();
const int64 = (value: bigint) => Buffer.from(BigInt64Array.of(value).buffer).swap64();
const row = (id: bigint, traceparent: Buffer | null = null) => [int64(id), Buffer.from('t'), Buffer.from('ключ'), int64(2n), Buffer.from([0, 1, 2]), traceparent];

describe('pages', () => {
  const bytes = copyOf([row(1n), row(5_000_000_000n, Buffer.from('00-trace'))]);

  it('are parsed to rows', () => {
    const page = parsePage(bytes);
    expect(page.complete).toBe(true);
    expect(page.rows.map(({ id, topic, key, sequence, traceparent }) => [id, topic, key.toString(), sequence, traceparent?.toString()])).toEqual([
      [1, 't', 'ключ', 2, undefined],
      [5_000_000_000, 't', 'ключ', 2, '00-trace'],
    ]);
  });

  it('that are cut anywhere give the rows before the cut, and say that more follow', () => {
    const second = bytes.indexOf(int64(5_000_000_000n)) - 6;
    for (let end = 19; end < bytes.length - 2; end++) {
      const { rows, complete } = parsePage(bytes.subarray(0, end));
      expect([complete, rows.length]).toEqual([false, end < second ? 0 : end === bytes.length - 2 ? 2 : 1]);
    }
  });

  it('are kept up to their byte limit only, and drained to the end', async () => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 10) chunks.push(bytes.subarray(at, at + 10));
    let drained = 0;
    async function* stream() {
      for (const chunk of chunks) {
        drained++;
        yield await Promise.resolve(chunk);
      }
    }
    const { rows, complete } = await readPage(stream(), 80);
    expect([rows.length, complete, drained]).toEqual([1, false, chunks.length]);
    expect((await readPage(stream(), 10_000)).rows).toHaveLength(2);
  });

  it.each([
    ['no header', Buffer.from('hello, this is not a page')],
    ['other columns', copyOf([row(1n).slice(0, 5)])],
    ['a missing value', copyOf([[...row(1n).slice(0, 4), null, null]])],
    ['another integer', copyOf([[int32(1), ...row(1n).slice(1)]])],
  ])('with %s are refused', (_what, wrong) => {
    expect(() => parsePage(wrong)).toThrow(FactlineError);
  });
});

describe('snapshots', () => {
  it('are parsed, and nothing else passes into a statement', () => {
    expect(parseSnapshot('10:20:10,15')).toEqual({ text: '10:20:10,15', xmax: '20', running: ['10', '15'] });
    expect(parseSnapshot('1:1:').running).toEqual([]);
    for (const wrong of ['', '10:20', "10:20:'; drop table x", '10:20:1,', '10:20:,1', '-1:2:', '10:20:10\n']) {
      expect(() => parseSnapshot(wrong)).toThrow(expect.objectContaining({ code: 'relay.snapshot' }));
    }
  });

  it('know which one can follow, also past 2^53', () => {
    const early = parseSnapshot('9007199254740993:9007199254740993:');
    const late = parseSnapshot('9007199254740993:9007199254740994:');
    expect([follows(late, early), follows(early, late), follows(early, early)]).toEqual([true, false, true]);
  });

  it('make conditions of what ended in between: those still running are left out', () => {
    const statement = firstPage(parseSnapshot('10:20:10,15'), parseSnapshot('15:30:15,25'), 100);
    expect(statement).toContain("xid >= '20'::xid8 and xid < '30'::xid8");
    expect(statement).toContain("'{10}'::xid8[]");
    expect(firstPage(parseSnapshot('15:20:15'), parseSnapshot('15:30:15'), 100)).not.toContain('any(');
    expect(() => nextPage(parseSnapshot('1:1:'), parseSnapshot('1:2:'), Number.NaN, 1)).toThrow(/NaN/);
  });
});

describe('read tokens', () => {
  it('open to what they were made of', () => {
    expect(readToken(tokenOf('hr.employee', 'e-1 ü', 7))).toEqual({ topic: 'hr.employee', key: 'e-1 ü', sequence: 7 });
  });

  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each(['', '!!', 'AAAA', encoded({}), encoded(['t', 'k', 0]), encoded(['t', 'k', 1.5]), encoded(['t', 'k', '1']), encoded(['', 'k', 1]), encoded(['t', 'k', 1, 2]), undefined, 5])(
    '%j is refused',
    (text) => {
      expect(() => readToken(text as string)).toThrow(expect.objectContaining({ code: 'token.invalid', kind: 'invalid' }));
    },
  );
});
