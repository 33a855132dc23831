import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { FactlineError, messageOf } from 'factline/kernel';
import snappy from 'snappyjs';
import { decodeLz4Frame } from './lz4.js';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * Unpacks the records of a batch, with any codec that a foreign producer may have chosen. Never makes more than `limit` bytes.
 * @throws FactlineError `log.batch-unreadable` (integrity) when the bytes are not what the codec says, or are more than the limit.
 */
export function unpack(codec: number, packed: Buffer, limit: number): Buffer {
  try {
    switch (CODECS[codec]) {
      case 'gzip':
        return zlib.gunzipSync(packed, { maxOutputLength: limit });
      case 'snappy':
        return unpackSnappy(packed, Math.min(limit, packed.length * SNAPPY_EXPANSION_MAX));
      case 'lz4':
        return decodeLz4Frame(packed, limit);
      case 'zstd':
        return unpackZstd(packed, limit);
      default:
        throw new Error(`codec ${codec} is not known`);
    }
  } catch (error) {
    throw new FactlineError({
      code: 'log.batch-unreadable',
      kind: 'integrity',
      message: `A record batch compressed with ${CODECS[codec] ?? `codec ${codec}`} cannot be unpacked: ${messageOf(error)}.`,
      advice: `Find the producer that wrote it; a batch may unpack to ${limit} bytes at most.`,
      cause: error,
    });
  }
}

/** The densest element copies 64 bytes and takes 3: what claims to be larger is a lie, and is not allocated. */
const SNAPPY_EXPANSION_MAX = 22;
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

/** Java producers frame snappy the way of the xerial library: a header of 16 bytes, then blocks behind their 32-bit lengths. Others write one bare block. */
function unpackSnappy(packed: Buffer, limit: number): Buffer {
  if (packed.length < XERIAL_HEADER_BYTES || packed.compare(XERIAL_HEADER, 0, 8, 0, 8) !== 0) return asBuffer(snappy.uncompress(packed, limit));
  const blocks: Buffer[] = [];
  let size = 0;
  for (let at = XERIAL_HEADER_BYTES; at < packed.length; ) {
    if (at + 4 > packed.length) throw new Error('a block length ends early');
    const length = packed.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > packed.length) throw new Error('a block ends early');
    const block = asBuffer(snappy.uncompress(packed.subarray(at, at + length), limit - size));
    size += block.length;
    blocks.push(block);
    at += length;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, size);
}

const nativeZstd = (zlib as { zstdDecompressSync?: (packed: Buffer, options: { maxOutputLength: number }) => Buffer }).zstdDecompressSync;

/** Node has zstd from 22.15 on; before, a JavaScript decoder that hands out its output window by window. */
function unpackZstd(packed: Buffer, limit: number): Buffer {
  return nativeZstd ? nativeZstd(packed, { maxOutputLength: limit }) : unpackZstdInJavaScript(packed, limit);
}

const ZSTD_MAGIC = 0xfd2fb528;

export function unpackZstdInJavaScript(packed: Buffer, limit: number): Buffer {
  if (zstdWindow(packed) > limit) throw new Error(`the window is larger than ${limit} bytes`);
  const parts: Uint8Array[] = [];
  let size = 0;
  let complete = false;
  const decoder = new Decompress((part, final) => {
    size += part.length;
    if (size > limit) throw new Error(`more than ${limit} bytes`);
    parts.push(part.slice());
    complete ||= final === true;
  });
  decoder.push(packed, true);
  if (!complete) throw new Error('the zstd frame ends early');
  return Buffer.concat(parts, size);
}

/** What a decoder will allocate before the first byte (RFC 8878, 3.1.1.1): the content size of a single segment, else the window of the descriptor. */
function zstdWindow(packed: Buffer): number {
  if (packed.length < 6 || packed.readUInt32LE(0) !== ZSTD_MAGIC) throw new Error('no zstd frame');
  const descriptor = packed[4]!;
  if ((descriptor & 0x20) === 0) {
    const window = packed[5]!;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  const sizeOfSize = [1, 2, 4, 8][descriptor >> 6]!;
  if (at + sizeOfSize > packed.length) throw new Error('the zstd header ends early');
  if (sizeOfSize === 8) return Number(packed.readBigUInt64LE(at));
  return sizeOfSize === 2 ? packed.readUInt16LE(at) + 256 : packed.readUIntLE(at, sizeOfSize);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
