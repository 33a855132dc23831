import { FactlineError } from 'factline/kernel';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/**
 * The partition of a keyed record, the same as Java's DefaultPartitioner: murmur2 of the key's bytes, sign bit dropped, modulo the partition count
 * (org.apache.kafka.common.utils.Utils.murmur2). Every producer of a topic must agree on it, or facts of one key overtake each other.
 * @throws FactlineError `log.key-empty` (invalid): a record without a key has no order.
 */
export function partitionOf(key: Uint8Array, partitions: number): number {
  if (key.length === 0) {
    throw new FactlineError({
      code: 'log.key-empty',
      kind: 'invalid',
      message: 'A record has an empty key.',
      advice: 'Give the id of the entity as the key: facts are in order per key only.',
    });
  }
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new FactlineError({ code: 'log.partitions-invalid', kind: 'invalid', message: `${partitions} is not a number of partitions.`, advice: 'Give the partition count of the topic.' });
  }
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Austin Appleby's MurmurHash2, 32 bits, with Kafka's seed; signed result as in Java. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length - at;
  if (rest >= 3) hash ^= data[at + 2]! << 16;
  if (rest >= 2) hash ^= data[at + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[at]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
