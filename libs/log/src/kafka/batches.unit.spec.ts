import zlib from 'node:zlib';
import fc from 'fast-check';
import snappy from 'snappyjs';
import type { OutgoingRecord } from '../log.js';
import { BatchField, encodeBatch } from './batch-encoding.js';
import { offsetBehind, parseBatches } from './batch-parsing.js';
import { unpack, unpackZstdInJavaScript } from './codecs.js';
import { crc32c } from './crc32c.js';
import { goldenAbortMarker, goldenBatches } from './golden-batches.spec.support.js';
import { writeInt64 } from './wire.js';

const ALL = Number.MAX_SAFE_INTEGER;
const unreadable = expect.objectContaining({ code: 'log.batch-unreadable', kind: 'integrity' });
const golden = (codec: keyof typeof goldenBatches) => Buffer.from(goldenBatches[codec], 'base64');
const outgoing = (count: number): OutgoingRecord[] => Array.from({ length: count }, (_, i) => ({ key: Buffer.from(`k${i}`), value: Buffer.from(`v${i}`) }));

/** Moves a batch in the log and makes it something else; the checksum is put right unless `broken`. */
function altered(batch: Buffer, change: { base?: number; attributes?: number; producer?: number; lastDelta?: number; count?: number; codec?: number; body?: Buffer }, broken = false): Buffer {
  const made = change.body ? Buffer.concat([batch.subarray(0, BatchField.records), change.body]) : Buffer.from(batch);
  if (change.base !== undefined) writeInt64(made, change.base, BatchField.baseOffset);
  if (change.attributes !== undefined) made.writeInt16BE(change.attributes, BatchField.attributes);
  if (change.producer !== undefined) writeInt64(made, change.producer, BatchField.producerId);
  if (change.lastDelta !== undefined) made.writeInt32BE(change.lastDelta, BatchField.lastOffsetDelta);
  if (change.count !== undefined) made.writeInt32BE(change.count, BatchField.recordCount);
  made.writeInt32BE(made.length - 12, BatchField.length);
  if (!broken) made.writeUInt32BE(crc32c(made, BatchField.attributes, made.length), BatchField.crc);
  return made;
}
const TRANSACTIONAL = 0x10;

describe('CRC-32C', () => {
  it('has the check value of its catalogue, at any alignment', () => {
    for (let pad = 0; pad < 9; pad++) expect(crc32c(Buffer.from(`${'x'.repeat(pad)}123456789yy`), pad, pad + 9)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
  });
});

describe('batches as Java writes them', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', (codec) => {
    const { records, nextOffset } = parseBatches(golden(codec), 0, ALL, []);
    expect(nextOffset).toBe(12);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    records.forEach((record, i) => {
      expect(record.key.toString()).toBe(`key-${i}`);
      expect(record.value?.toString() ?? null).toBe(i === 5 ? null : `value-${i} `.repeat(i === 7 ? 40 : 6));
      expect(record.timestamp).toBe(1_700_000_000_000 + i * 100_000);
    });
    expect(records[11]!.headers).toEqual(Object.assign(Object.create(null), { traceparent: Buffer.from('00-ab'), none: Buffer.alloc(0) }));
    expect(records[0]!.headers).toBeUndefined();
  });

  it('has zstd also where Node has none, and refuses a frame that is cut off', () => {
    const packed = golden('zstd').subarray(BatchField.records);
    expect(unpackZstdInJavaScript(packed, 4e6)).toEqual(unpack(4, packed, 4e6));
    expect(() => unpackZstdInJavaScript(packed.subarray(0, 40), 4e6)).toThrow(/./);
    expect(() => unpackZstdInJavaScript(packed, 100)).toThrow(/window/);
  });
});

describe('our own batches', () => {
  it('come back as they were, whatever is in them', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
    const record = fc.record({ key: fc.uint8Array({ minLength: 1, maxLength: 70 }).map((value) => Buffer.from(value)), value: bytes, headers: fc.option(fc.dictionary(fc.string({ maxLength: 9 }), bytes, { maxKeys: 3 }), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 80 }), fc.nat(40), (records, reserve) => {
        const parsed = parseBatches(encodeBatch(records as OutgoingRecord[], 1_700_000_000_123, reserve).subarray(reserve), 0, ALL, []);
        expect(parsed.nextOffset).toBe(records.length);
        expect(parsed.records.map(({ key, value, headers, timestamp }) => [key, value, { ...headers }, timestamp])).toEqual(records.map(({ key, value, headers }) => [key, value, { ...headers }, 1_700_000_000_123]));
      }),
      { numRuns: 60 },
    );
  });

  it('are cut to the range that was asked for', () => {
    const log = Buffer.concat([altered(encodeBatch(outgoing(5), 1), { base: 10 }), altered(encodeBatch(outgoing(5), 1), { base: 20 })]);
    const range = (from: number, to: number) => {
      const { records, nextOffset } = parseBatches(log, from, to, []);
      return [...records.map(({ offset }) => offset), nextOffset];
    };
    expect(range(12, 22)).toEqual([12, 13, 14, 20, 21, 22]);
    expect(range(12, 14)).toEqual([12, 13, 14]);
    expect(range(12, 18)).toEqual([12, 13, 14, 18]); // 15 to 17 are a hole
    expect(range(22, ALL)).toEqual([22, 23, 24, 25]);
    expect(offsetBehind(log, 12)).toBe(25);
  });

  it('take the time of the broker when it sets one', () => {
    const batch = altered(encodeBatch(outgoing(2), 5), { attributes: 0x08 });
    writeInt64(batch, 777, BatchField.maxTimestamp);
    batch.writeUInt32BE(crc32c(batch, BatchField.attributes, batch.length), BatchField.crc);
    expect(parseBatches(batch, 0, ALL, []).records.map(({ timestamp }) => timestamp)).toEqual([777, 777]);
  });
});

describe('transactions', () => {
  const marker = Buffer.from(goldenAbortMarker, 'base64'); // offset 7, producer 4242
  const open = altered(encodeBatch(outgoing(3), 1), { base: 4, attributes: TRANSACTIONAL, producer: 4242 });
  const other = altered(encodeBatch(outgoing(1), 1), { base: 3, attributes: TRANSACTIONAL, producer: 1 });
  const after = altered(encodeBatch(outgoing(1), 1), { base: 8, attributes: TRANSACTIONAL, producer: 4242 });

  it('that were aborted leave no records, and their offsets count as covered', () => {
    const { records, nextOffset } = parseBatches(Buffer.concat([other, open, marker]), 3, ALL, [{ producerId: 4242, firstOffset: 4 }]);
    expect(records.map(({ offset }) => offset)).toEqual([3]);
    expect(nextOffset).toBe(8);
  });

  it('end with their marker: the next one of the same producer is read', () => {
    const { records } = parseBatches(Buffer.concat([open, marker, after]), 0, ALL, [{ producerId: 4242, firstOffset: 4 }]);
    expect(records.map(({ offset }) => offset)).toEqual([8]);
  });

  it('that were committed are read', () => {
    expect(parseBatches(Buffer.concat([open, marker]), 0, ALL, []).records).toHaveLength(3);
  });
});

describe('bytes that are not what they should be', () => {
  const batch = encodeBatch(outgoing(20), 1);

  it('leave a batch that is cut off for the next fetch, wherever it is cut', () => {
    for (let length = 0; length < batch.length; length++) expect(parseBatches(batch.subarray(0, length), 0, ALL, [])).toEqual({ records: [], nextOffset: 0 });
    const two = Buffer.concat([batch, altered(batch, { base: 20 })]);
    expect(parseBatches(two.subarray(0, two.length - 1), 0, ALL, []).nextOffset).toBe(20);
  });

  it.each([0, 1, 3])('refuse message format %d', (magic) => {
    const old = Buffer.from(batch);
    old[BatchField.magic] = magic;
    expect(() => parseBatches(old, 0, ALL, [])).toThrow(unreadable);
    expect(() => parseBatches(old.subarray(0, 30), 0, ALL, [])).toThrow(unreadable);
  });

  it('refuse any flipped bit behind the checksum', () => {
    for (let at = BatchField.attributes; at < batch.length; at += 3) {
      const flipped = Buffer.from(batch);
      flipped[at]! ^= 0x10;
      expect(() => parseBatches(flipped, 0, ALL, [])).toThrow(unreadable);
    }
  });

  it('refuse lengths and counts that do not fit, with a checksum that is right', () => {
    const hostile = [
      altered(batch, { count: 21 }),
      altered(batch, { count: 19 }),
      altered(batch, { count: 0x7fffffff }),
      altered(batch, { lastDelta: -5 }),
      altered(batch, { body: Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]), count: 1 }), // a record of 2 GB
      altered(batch, { body: Buffer.from([0x01]), count: 1 }), // of -1 byte
      altered(batch, { body: Buffer.alloc(12, 0xff), count: 1 }), // a number without an end
      altered(batch, { body: Buffer.from([16, 0, 0, 0, 0xfe, 0xff, 0xff, 0x0f, 0]), count: 1 }), // a key of 16 MB
      altered(batch, { body: Buffer.from([18, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0x0f]), count: 1 }), // millions of headers
    ];
    for (const each of hostile) expect(() => parseBatches(each, 0, ALL, [])).toThrow(unreadable);
    const short = Buffer.from(batch);
    short.writeInt32BE(10, BatchField.length);
    expect(() => parseBatches(short, 0, ALL, [])).toThrow(unreadable);
  });

  it('D6: never crash the parser or let a wrong record count through, however they are mangled', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: BatchField.records, max: batch.length - 1 }), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const mangled = Buffer.from(batch);
        for (const [at, value] of changes) mangled[at] = value;
        const right = altered(mangled, {});
        try {
          expect(parseBatches(right, 0, ALL, []).nextOffset).toBe(20);
        } catch (error) {
          expect(error).toEqual(unreadable);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('D14: are not unpacked past the limit, whatever the codec', () => {
    const zeros = Buffer.alloc(200_000);
    const snappyBlock = Buffer.from(snappy.compress(zeros));
    const packed: [number, Buffer][] = [
      [1, zlib.gzipSync(zeros)],
      [2, snappyBlock],
      [3, golden('lz4').subarray(BatchField.records)],
      [4, golden('zstd').subarray(BatchField.records)],
    ];
    for (const [codec, bytes] of packed) expect(() => unpack(codec, bytes, 500)).toThrow(unreadable);
    expect(unpack(2, snappyBlock, 200_000)).toEqual(zeros);
    expect(() => unpack(2, Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]), 1e9)).toThrow(unreadable); // five bytes that claim 256 MB
    expect(() => unpack(5, zeros, 1e9)).toThrow(unreadable);
  });

  it.each([1, 2, 3, 4])('are refused by codec %d when cut off or mangled, without a crash', (codec) => {
    const bytes = golden((['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)[codec]!).subarray(BatchField.records);
    for (let length = 0; length < bytes.length - 4; length += 7) expect(() => parseBatches(altered(golden('none'), { attributes: codec, body: bytes.subarray(0, length) }), 0, ALL, [])).toThrow(unreadable);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const mangled = Buffer.from(bytes);
        mangled[at] = value;
        try {
          expect(unpack(codec, mangled, 100_000).length).toBeLessThanOrEqual(100_000);
        } catch (error) {
          expect(error).toEqual(unreadable);
        }
      }),
      { numRuns: 200 },
    );
  });
});
