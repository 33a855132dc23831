import { LogOutput } from './log-output.js';

/** A disk with so much room. */
class Disk {
  text = '';
  room = Number.POSITIVE_INFINITY;
  code = 'ENOSPC';

  readonly put = (bytes: Uint8Array): number => {
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) throw Object.assign(new Error(this.code), { code: this.code });
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(0, taken)).toString('utf8');
    return taken;
  };

  get lines(): Record<string, unknown>[] {
    return this.text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

let disk: Disk;
let output: LogOutput;

beforeEach(() => {
  disk = new Disk();
  output = new LogOutput(disk.put);
});

const say = (n: number) => output.write(`{"n":${n}}\n`);

it('H8: a disk without room loses lines, counts them, and the first line that it takes again says how many', () => {
  say(1);
  disk.room = 0;
  say(2);
  say(3);
  expect(output.droppedLines).toBe(2);
  disk.room = Number.POSITIVE_INFINITY;
  say(4);
  say(5);
  expect(disk.lines).toMatchObject([{ n: 1 }, { level: 'warn', dropped: 2 }, { n: 4 }, { n: 5 }]);
  expect(output.droppedLines).toBe(0);
});

it('half a line does not spoil the next one', () => {
  disk.room = 4;
  say(1);
  disk.room = Number.POSITIVE_INFINITY;
  say(2);
  expect(disk.text).toMatch(/^\{"n"\n\{"level":"warn".*\n\{"n":2\}\n$/);
});

it('a reader that does not keep up is waited for, but not for ever', () => {
  disk.room = 0;
  disk.code = 'EAGAIN';
  say(1);
  expect(output.droppedLines).toBe(1);
  let refusals = 3;
  const slow = new LogOutput((bytes) => {
    if (refusals-- > 0) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    return bytes.length;
  });
  slow.write('x\n');
  expect(slow.droppedLines).toBe(0);
});
