/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), which closes every record batch. Slicing by 8: eight tables, eight bytes a step
 * (M. Kounavis, F. Berry: "A Systematic Approach to Building High Performance Software-Based CRC Generators", 2005). node:zlib has only CRC-32.
 */
const POLYNOMIAL = 0x82f63b78;
const TABLE = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256]!;
    tables[at] = (shorter >>> 8) ^ tables[shorter & 0xff]!;
  }
  return tables;
}

/** The checksum of `data[from, to)`, as an unsigned number. */
export function crc32c(data: Uint8Array, from: number, to: number): number {
  let crc = -1;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    crc ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    crc =
      TABLE[0x700 + (crc & 0xff)]! ^
      TABLE[0x600 + ((crc >>> 8) & 0xff)]! ^
      TABLE[0x500 + ((crc >>> 16) & 0xff)]! ^
      TABLE[0x400 + (crc >>> 24)]! ^
      TABLE[0x300 + data[at + 4]!]! ^
      TABLE[0x200 + data[at + 5]!]! ^
      TABLE[0x100 + data[at + 6]!]! ^
      TABLE[data[at + 7]!]!;
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ data[at]!) & 0xff]!;
  return ~crc >>> 0;
}
