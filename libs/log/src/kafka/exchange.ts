/** A request of our own coding. */
export interface Exchange<T> {
  api: number;
  version: number;
  name: string;
  /** What follows the header of the request. In flexible versions that begins with the tagged fields of the header, and so does the answer. */
  body: Buffer;
  read(payload: Buffer): T;
}
