/*
 * LZ4 frames (lz4_Frame_format.md 1.6.2) and blocks (lz4_Block_format.md), decoding only, with a bound on what comes out. In JavaScript because the
 * native packages allocate what the input asks for; blocks of Kafka producers are 64 KiB, decoded at several hundred MB/s.
 */
const MAGIC = 0x184d2204;
const UNCOMPRESSED_BLOCK = 0x8000_0000;
const MINIMUM_MATCH = 4;

class Lz4Error extends Error {}

/** @throws Lz4Error for anything that is not a whole frame, or for more than `limit` bytes. */
export function decodeLz4Frame(source: Uint8Array, limit: number): Buffer {
  const view = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  if (view.length < 7 || view.readUInt32LE(0) !== MAGIC) throw new Lz4Error('no lz4 frame');
  const flags = view[4]!;
  if (flags >> 6 !== 1) throw new Lz4Error('unknown lz4 version');
  if (flags & 0x01) throw new Lz4Error('lz4 dictionaries are not supported');
  const blockChecksum = (flags & 0x10) !== 0;
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + 1;
  const sink = new Sink(limit);
  for (;;) {
    if (at + 4 > view.length) throw new Lz4Error('the lz4 frame ends early');
    const word = view.readUInt32LE(at);
    at += 4;
    if (word === 0) return sink.done();
    const size = word & ~UNCOMPRESSED_BLOCK;
    if (at + size > view.length) throw new Lz4Error('an lz4 block ends early');
    if (word >= UNCOMPRESSED_BLOCK) sink.literal(view, at, at + size);
    else decodeBlock(view, at, at + size, sink);
    at += size + (blockChecksum ? 4 : 0);
  }
}

function decodeBlock(source: Buffer, start: number, end: number, sink: Sink): void {
  let at = start;
  while (at < end) {
    const token = source[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (at >= end) throw new Lz4Error('an lz4 length ends early');
        byte = source[at++]!;
        literals += byte;
      } while (byte === 255);
    }
    if (at + literals > end) throw new Lz4Error('lz4 literals end early');
    if (literals > 0) sink.literal(source, at, at + literals);
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw new Lz4Error('an lz4 match ends early');
    const distance = source[at]! | (source[at + 1]! << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      let byte: number;
      do {
        if (at >= end) throw new Lz4Error('an lz4 length ends early');
        byte = source[at++]!;
        length += byte;
      } while (byte === 255);
    }
    sink.match(distance, length + MINIMUM_MATCH);
  }
}

/** Output that grows by doubling, never past its limit. */
class Sink {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #size = 0;

  constructor(private readonly limit: number) {}

  literal(source: Buffer, from: number, to: number): void {
    this.#room(to - from);
    source.copy(this.#bytes, this.#size, from, to);
    this.#size += to - from;
  }

  match(distance: number, length: number): void {
    if (distance === 0 || distance > this.#size) throw new Lz4Error('an lz4 match points before the start');
    this.#room(length);
    const bytes = this.#bytes;
    let at = this.#size;
    const end = at + length;
    if (distance >= length) bytes.copyWithin(at, at - distance, at - distance + length);
    else for (; at < end; at++) bytes[at] = bytes[at - distance]!;
    this.#size = end;
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  #room(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed > this.limit) throw new Lz4Error(`more than ${this.limit} bytes`);
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.limit, Math.max(needed, this.#bytes.length * 2)));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }
}
