import fc from 'fast-check';
import avro from 'avsc';
import { factIdOf, schemaIdOf, sequenceOf, withSequence } from './wire.js';

const long = avro.Type.forSchema('long');

/** A value as the encoder makes it: frame, id, sequence 0, anything behind. */
const unnumbered = fc
  .record({ schemaId: fc.integer({ min: 0, max: 2 ** 31 - 1 }), id: fc.uint8Array({ minLength: 16, maxLength: 16 }), rest: fc.uint8Array({ maxLength: 300 }) })
  .map(({ schemaId, id, rest }) => {
    const frame = Buffer.alloc(5);
    frame.writeInt32BE(schemaId, 1);
    return { schemaId, id, rest, value: Buffer.concat([frame, id, Buffer.of(0), rest]) };
  });

const sequences = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(63, 64, 8_191, 8_192, 1_048_575, 1_048_576, 2 ** 31, 2 ** 32, 2 ** 47, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);

describe('withSequence', () => {
  it('puts in the bytes that Avro would have written, and changes nothing else', () => {
    fc.assert(
      fc.property(unnumbered, sequences, ({ schemaId, id, rest, value }, sequence) => {
        const before = Buffer.from(value);
        const numbered = withSequence(value, sequence);
        expect(value).toEqual(before);
        expect(schemaIdOf(numbered)).toBe(schemaId);
        expect(Buffer.from(factIdOf(numbered))).toEqual(Buffer.from(id));
        expect(sequenceOf(numbered)).toBe(sequence);
        const safe = Math.min(sequence, Number.MAX_SAFE_INTEGER - 1); // avsc writes up to 2^53 - 2
        expect(withSequence(value, safe).subarray(21)).toEqual(Buffer.concat([long.toBuffer(safe), rest]));
      }),
      { numRuns: 500 },
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('refuses the sequence %d', (sequence) => {
    expect(() => withSequence(Buffer.alloc(30), sequence)).toThrow(expect.objectContaining({ code: 'fact.sequence' }));
  });

  it('refuses to number a value twice', () => {
    expect(() => withSequence(withSequence(Buffer.alloc(30), 1), 2)).toThrow(expect.objectContaining({ code: 'fact.sequence' }));
  });
});

describe('D5: peeking at bytes that are no fact', () => {
  it.each([
    ['null', null],
    ['short', Buffer.alloc(0)],
    ['short', Buffer.alloc(21)],
    ['magic', Buffer.alloc(40, 1)],
  ])('%s', (reason, value) => {
    for (const peek of [schemaIdOf, factIdOf, sequenceOf]) {
      expect(() => peek(value)).toThrow(expect.objectContaining({ code: 'fact.undecodable', details: expect.objectContaining({ reason }) }));
    }
  });

  it.each([
    ['truncated', [0x80]],
    ['malformed', [0x01]],
    ['malformed', Array.from({ length: 11 }, () => 0x80)],
    ['long-range', [...Array.from({ length: 8 }, () => 0xff), 0x7f]],
  ])('a sequence that is %s', (reason, bytes) => {
    const value = Buffer.concat([Buffer.alloc(21), Buffer.from(bytes)]);
    expect(() => sequenceOf(value)).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason }) }));
  });
});
