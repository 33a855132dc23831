import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { messageOf } from 'factline/kernel';

/** Answers are written in pieces of this size: one write per line costs more than most answers. */
const WRITE_BYTES = 64 * 1024;

/** What a line asks for; `id` is given back with the answer. */
export interface Request {
  id?: unknown;
  [field: string]: unknown;
}

/**
 * Answers one JSON line for each JSON line, in order, in constant memory; empty lines are passed over. A line that is no JSON object is answered with its number
 * and code `input.malformed`, and the rest goes on. `answer` must not throw.
 * @returns whether every line was a request.
 */
export async function answerLines(input: Readable, output: Writable, answer: (request: Request) => object): Promise<boolean> {
  let number = 0;
  let sound = true;
  let written: string[] = [];
  let bytes = 0;
  const flush = async () => {
    if (written.length > 0 && !output.write(written.join(''))) await once(output, 'drain');
    written = [];
    bytes = 0;
  };
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number++;
    if (line.trim() === '') continue;
    const request = parse(line);
    if ('fault' in request) sound = false;
    const answered = `${JSON.stringify('fault' in request ? { line: number, code: 'input.malformed', message: request.fault } : answer(request.value))}\n`;
    written.push(answered);
    bytes += answered.length;
    if (bytes >= WRITE_BYTES) await flush();
  }
  await flush();
  return sound;
}

function parse(line: string): { value: Request } | { fault: string } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value: value as Request };
    return { fault: 'The line is JSON, but no object.' };
  } catch (error) {
    return { fault: `The line is no JSON: ${messageOf(error)}` };
  }
}
