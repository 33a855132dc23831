import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { CLI } from './support/root.js';

interface Answer {
  id?: unknown;
  line?: number;
  compatible?: boolean;
  incompatibilities?: readonly { kind: string; path: string }[];
  js?: { readable: boolean };
  code?: string;
  path?: string;
  schema?: string;
}

const event = (type: string) => ({ type: 'record', name: 'Hired', namespace: 'hr', fields: [{ name: 'salary', type }] });

async function compat(lines: readonly unknown[], ...args: string[]) {
  const child = spawn(process.execPath, [CLI, 'contracts', 'compat', ...args], { stdio: 'pipe', env: { ...process.env, NODE_OPTIONS: '' } });
  child.stdin.end(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number]>]);
  return { code, output, errors, answers: () => output.trim().split('\n').map((line) => JSON.parse(line) as Answer) };
}

describe('factline contracts compat', () => {
  it('answers each line in order, and goes on after a schema that is none', async () => {
    const { code, errors, answers } = await compat([
      { id: 1, reader: event('long'), writer: event('int') },
      { id: 'two', reader: event('int'), writer: event('string') },
      { id: 3, reader: JSON.stringify(event('long')), writer: ' "int"' },
      { id: 4, reader: 'long', writer: 'int' },
      { id: 5, reader: event('long'), writer: event('Nowhere') },
      { id: 6, reader: '{"type": ', writer: 'int' },
      { id: 7, reader: { ...event('int'), namespace: 'payroll' }, writer: event('int') },
    ]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(answers()).toMatchObject([
      { id: 1, compatible: true, incompatibilities: [], js: { readable: true, faults: [] } },
      { id: 'two', compatible: false, incompatibilities: [{ kind: 'type-changed', path: 'salary', readerPointer: '/fields/0/type', writerPointer: '/fields/0/type', readerType: 'int', writerType: 'string' }] },
      { id: 3, compatible: false, incompatibilities: [{ kind: 'type-changed', path: '' }] },
      { id: 4, compatible: true },
      { id: 5, compatible: false, code: 'schema.unknown-type', schema: 'writer', path: '/fields/0/type' },
      { id: 6, compatible: false, code: 'schema.invalid', schema: 'reader', path: '' },
      { id: 7, compatible: true, js: { readable: false, faults: [{ kind: 'namespace-changed' }] } },
    ]);
  });

  it('ends with 2 when a line was no request, after answering the others', async () => {
    for (const wrong of ['no JSON', '[]', { id: 8, reader: 'int' }]) {
      const { code, answers } = await compat([wrong, { id: 9, reader: 'int', writer: 'int' }]);
      expect(code).toBe(2);
      expect(answers()).toMatchObject([{ code: 'input.malformed' }, { id: 9, compatible: true }]);
    }
  });

  it('says its protocol', async () => {
    const { code, output } = await compat([], '--help');
    expect(code).toBe(0);
    expect(output).toContain('{"id", "reader", "writer"}');
    expect(output).toContain('{"id", "compatible", "incompatibilities", "js"}');
  });
});
