import { FactlineError } from 'factline/kernel';

const ID_BYTES = 16;

/** Writes the primitive types of the Kafka protocol into a buffer that grows. */
export class Writer {
  #buffer: Buffer;
  #at = 0;

  constructor(capacity = 512) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** What was written so far. */
  get buffer(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  int8(value: number): this {
    const at = this.#claim(1);
    this.#buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#claim(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#claim(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.#claim(8);
    writeInt64(this.#buffer, value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#claim(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value);
    return this.int16(bytes.length).bytes(bytes);
  }

  /** As Kafka's tools print it (URL-safe base64). */
  id(value: string): this {
    return this.bytes(Buffer.from(value, 'base64url'));
  }

  /** Lengths of the flexible versions: one more than the length, 7 bits a byte. */
  unsignedVarint(value: number): this {
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#claim(1)] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#claim(1)] = rest;
    return this;
  }

  compactString(value: string): this {
    const bytes = Buffer.from(value);
    return this.unsignedVarint(bytes.length + 1).bytes(bytes);
  }

  #claim(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#at, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}

/** Reads the primitive types of the Kafka protocol; every length is checked against what is there before anything is made of it. */
export class Reader {
  at = 0;

  constructor(readonly buffer: Buffer) {}

  int8(): number {
    return this.buffer.readInt8(this.#step(1));
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#step(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#step(4));
  }

  int64(): number {
    return readInt64(this.buffer, this.#step(8));
  }

  /** Bytes without a copy. */
  bytes(length: number): Buffer {
    const at = this.#step(length);
    return this.buffer.subarray(at, at + length);
  }

  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.bytes(length).toString('utf8');
  }

  /** As Kafka's tools print it (URL-safe base64). */
  id(): string {
    return this.bytes(ID_BYTES).toString('base64url');
  }

  /** `items` of an array with a 32-bit count; null counts as empty. */
  array<T>(item: () => T): T[] {
    return this.#items(this.int32(), item);
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#step(1)]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed('a length is longer than 5 bytes');
  }

  compactString(): string | null {
    const length = this.unsignedVarint();
    return length === 0 ? null : this.bytes(length - 1).toString('utf8');
  }

  compactArray<T>(item: () => T): T[] {
    return this.#items(this.unsignedVarint() - 1, item);
  }

  /** Fields of later versions, which we do not know. */
  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.bytes(this.unsignedVarint());
    }
  }

  #items<T>(count: number, item: () => T): T[] {
    if (count > this.buffer.length - this.at) throw malformed(`${count} items in ${this.buffer.length - this.at} bytes`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  #step(bytes: number): number {
    const at = this.at;
    if (bytes < 0 || at + bytes > this.buffer.length) throw malformed(`${bytes} bytes wanted at ${at} of ${this.buffer.length}`);
    this.at = at + bytes;
    return at;
  }
}

const TWO_TO_32 = 0x1_0000_0000;

/** Exact up to 2^53, which no offset or time reaches. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * TWO_TO_32 + buffer.readUInt32BE(at + 4);
}

export function writeInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_TO_32), at);
  buffer.writeUInt32BE(((value % TWO_TO_32) + TWO_TO_32) % TWO_TO_32, at + 4);
}

function malformed(what: string): FactlineError {
  return new FactlineError({
    code: 'log.response-malformed',
    kind: 'integrity',
    message: `A broker's answer does not follow the protocol: ${what}.`,
    advice: 'Check that the address is a Kafka broker of version 3.1 or later and that nothing between rewrites its traffic.',
  });
}
