import { PassThrough } from 'node:stream';
import { Output } from './output.js';

const printed = (print: (output: Output) => void, json = false): string => {
  const stream = new PassThrough({ highWaterMark: 2 ** 26 });
  print(new Output(json, stream as unknown as NodeJS.WriteStream));
  return ((stream.read() as Buffer | null) ?? '').toString();
};

it('prints single lines and lists of them', () => {
  expect(printed((output) => output.print({ a: 1 }, 'one', ['two', 'three'], [], 'four'))).toBe('one\ntwo\nthree\nfour\n');
  expect(printed((output) => output.print({ a: 1 }, 'one'), true)).toBe('{"a":1}\n');
});

it('prints more lines than a call has room for arguments', () => {
  const lines = Array.from({ length: 500_000 }, () => 'x');
  expect(printed((output) => output.print({}, lines)).length).toBe(1_000_000);
  expect(() => printed((output) => output.print({}, ...lines))).toThrow(RangeError); // control
});
