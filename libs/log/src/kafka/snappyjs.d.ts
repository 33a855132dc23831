declare module 'snappyjs' {
  const snappy: {
    /** Throws when the stated length is above `maxLength` or the bytes are no snappy block. */
    uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array;
    compress(plain: Uint8Array): Uint8Array;
  };
  export default snappy;
}
