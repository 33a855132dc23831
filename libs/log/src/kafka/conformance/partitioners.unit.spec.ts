import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { partitionOf } from '../../partition.js';

type Partitioner = () => (args: { topic: string; partitionMetadata: { partitionId: number; leader: number }[]; message: { key: Buffer; value: null } }) => number;

const partitionsOf = (count: number) => Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }));
const chooser = (partitioner: unknown) => {
  const choose = (partitioner as Partitioner)();
  return (key: Buffer, count: number) => choose({ topic: 't', partitionMetadata: partitionsOf(count), message: { key, value: null } });
};
const someKeys = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes));

/** The vectors that Java gave are in partition.unit.spec.ts; here other clients are held to them. */
describe('A17 partitioner differs between clients', () => {
  it('A17: ours chooses as kafkajs’s default one does, for any bytes and any number of partitions', () => {
    const theirs = chooser(kafkajs.Partitioners.DefaultPartitioner);
    fc.assert(fc.property(someKeys, fc.integer({ min: 1, max: 200 }), (key, count) => partitionOf(key, count) === theirs(key, count)));
  });

  it('A17: control: kafkajs’s legacy one chooses another partition for many keys, text beyond ASCII included', () => {
    const legacy = chooser(kafkajs.Partitioners.LegacyPartitioner);
    const keys = [...Array.from({ length: 100 }, (_, i) => `employee-${i}`), 'ünïcødé', '日本語', '🙂', 'żółć'].map((key) => Buffer.from(key));
    const other = keys.filter((key) => partitionOf(key, 12) !== legacy(key, 12));
    expect(other.length).toBeGreaterThan(keys.length / 2);
  });

  it('A17: an empty key is refused by ours; kafkajs hashes it like any other', () => {
    expect(() => partitionOf(Buffer.alloc(0), 6)).toThrow(expect.objectContaining({ code: 'log.key-empty' }));
    expect(chooser(kafkajs.Partitioners.DefaultPartitioner)(Buffer.alloc(0), 6)).toBeGreaterThanOrEqual(0);
  });
});
