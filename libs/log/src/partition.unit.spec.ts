import { murmur2, partitionOf } from './partition.js';

// computed with org.apache.kafka.common.utils.Utils of kafka-clients 4.3.1: murmur2, and toPositive(murmur2) % 6 and % 12
const VECTORS: [string, number, number, number][] = [
  ['0', 971027396, 2, 8],
  ['21', -973932308, 0, 0],
  ['abc', 479470107, 3, 3],
  ['foobar', -790332482, 0, 6],
  ['a-little-bit-long-string', -985981536, 2, 8],
  ['employee-4711', 1410850231, 1, 7],
  ['ünïcødé', 2147241326, 2, 2],
  ['日本語', 1431860170, 4, 10],
  ['🙂', 925250799, 3, 3],
  ['Ωmega-17', 1518972992, 2, 8],
  ['żółć', 475252577, 5, 5],
  ['\u0000', 375494588, 2, 8],
  ['018f4e1c-7b1a-7c3e-9f2a-5b6c7d8e9f00', 1027051849, 1, 1],
];

describe('A17: the partition of a key', () => {
  it.each(VECTORS)('%s hashes as in Java', (key, hash, ofSix, ofTwelve) => {
    const bytes = Buffer.from(key);
    expect([murmur2(bytes), partitionOf(bytes, 6), partitionOf(bytes, 12)]).toEqual([hash, ofSix, ofTwelve]);
  });

  it('hashes bytes above 127 unsigned, also when they are no text', () => {
    expect(murmur2(Buffer.from([0xff, 0x80, 0x81, 0xfe, 0xff]))).toBe(-277559136);
  });

  it('refuses an empty key and a count that is none', () => {
    expect(() => partitionOf(Buffer.alloc(0), 6)).toThrow(expect.objectContaining({ code: 'log.key-empty', kind: 'invalid' }));
    expect(() => partitionOf(Buffer.from('a'), 0)).toThrow(expect.objectContaining({ code: 'log.partitions-invalid' }));
  });
});
