import { spawnSync } from 'node:child_process';
import { CLI } from './support/root.js';

const state = { type: 'enum', name: 'State', symbols: ['NEW', 'PAID'] };
const order = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'seal', type: 'bytes' },
    { name: 'rate', type: 'double' },
    { name: 'note', type: ['null', 'string'] },
    { name: 'state', type: state },
  ],
};
const ORDER = '026104 00ff 000000000000f87f 02 0278 02'.replaceAll(' ', '');

/** One run, as a script makes it: lines in, lines out. */
function decode(lines: readonly string[]): { code: number | null; stderr: string; answers: Record<string, unknown>[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'contracts', 'decode'], { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { code: status, stderr, answers: stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** Each with its sound neighbour. */
const LINES: readonly (readonly [code: string, refused: object, sound: object])[] = [
  ['truncated', { schema: 'long', hex: '80' }, { schema: 'long', hex: '8000' }],
  ['trailing', { schema: 'int', hex: '0200' }, { schema: 'int', hex: '02' }],
  ['too-large', { schema: 'bytes', hex: '00'.repeat(1024 * 1024 + 1) }, { schema: 'bytes', hex: '00' }],
  ['too-many-items', { schema: { type: 'array', items: 'null' }, hex: '80dac41300' }, { schema: { type: 'array', items: 'null' }, hex: '0400' }],
  ['too-deep', { schema: { type: 'record', name: 'L', fields: [{ name: 'l', type: ['null', 'L'] }] }, hex: '02'.repeat(1_000_000) }, { schema: 'null', hex: '' }],
  ['negative-length', { schema: 'string', hex: '01' }, { schema: 'string', hex: '00' }],
  ['long-range', { schema: 'long', hex: '8080808080808020' }, { schema: 'long', hex: 'feffffffffffff1f' }],
  ['int-range', { schema: 'int', hex: 'feffffff1f' }, { schema: 'int', hex: 'FEFFFFFF0F' }],
  ['boolean', { schema: 'boolean', hex: '02' }, { schema: 'boolean', hex: '01' }],
  ['union-branch', { schema: ['null', 'int'], hex: '04' }, { schema: ['null', 'int'], hex: '0202' }],
  ['enum-symbol', { schema: state, hex: '04' }, { schema: state, hex: '02' }],
  ['invalid-utf8', { schema: 'string', hex: '02ff' }, { schema: 'string', hex: '027f' }],
  ['map-key', { schema: { type: 'map', values: 'null' }, hex: `0212${Buffer.from('__proto__').toString('hex')}00` }, { schema: { type: 'map', values: 'null' }, hex: '02026100' }],
  ['malformed', { schema: 'long', hex: `${'80'.repeat(10)}00` }, { schema: 'long', hex: '00' }],
  ['input.hex', { schema: 'int', hex: '0' }, { schema: 'int', hex: '00' }],
  ['input.hex', { schema: 'int', hex: '0g' }, { schema: 'int', hex: '0a' }],
  ['input.hex', { schema: 'int' }, { schema: 'null', hex: '' }],
  ['input.hex', { schema: 'int', hex: 0 }, { schema: 'int', hex: '00' }],
  ['input.schema', { hex: '00' }, { schema: '"int"', hex: '00' }],
  ['schema.invalid', { schema: '{"type":', hex: '00' }, { schema: '{"type":"int"}', hex: '00' }],
  ['schema.invalid', { schema: ['null', ['int', 'string']], hex: '00' }, { schema: '["null"]', hex: '00' }],
  ['schema.unknown-type', { schema: 'Missing', hex: '00' }, { schema: 'int', hex: '00' }],
  ['schema.duplicate-type', { schema: [state, { ...state, symbols: ['X'] }], hex: '00' }, { schema: [state], hex: '0000' }],
  ['schema.cycle', { schema: { type: 'record', name: 'R', fields: [{ name: 'r', type: 'R' }] }, hex: '' }, { schema: { type: 'record', name: 'R', fields: [] }, hex: '' }],
  ['schema.too-deep', { schema: `${'{"type":"array","items":'.repeat(10_000)}"int"${'}'.repeat(10_000)}`, hex: '00' }, { schema: { type: 'array', items: 'int' }, hex: '00' }],
];

it('every line has its answer, in order, and nothing ends the command', () => {
  const requests = LINES.flatMap(([code, refused, sound], at) => [JSON.stringify({ id: `${at} ${code}`, ...refused }), JSON.stringify({ id: at, ...sound })]);
  const { code, stderr, answers } = decode(requests);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(answers.map(({ id, ok, code: said, message }) => (ok ? id : [id, said, typeof message]))).toEqual(LINES.flatMap(([said], at) => [[`${at} ${said}`, said, 'string'], at]));
});

it('a value is in the JSON encoding of Avro', () => {
  const { answers } = decode([JSON.stringify({ id: 1, schema: order, hex: ORDER }), JSON.stringify({ id: 2, schema: JSON.stringify(order), hex: ORDER })]);
  const value = { id: 'a', seal: '\u0000\u00ff', rate: 'NaN', note: { string: 'x' }, state: 'PAID' };
  expect(answers).toEqual([{ id: 1, ok: true, value }, { id: 2, ok: true, value }]);
});

it('lines that are no requests, and ids that cannot be given back, are answered too', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const { code, stderr, answers } = decode(['no JSON', '[]', `{"id": ${deep}, "schema": "int", "hex": "02"}`, `{"id": 4, "schema": ${deep}, "hex": "02"}`, '{"schema": "int", "hex": "02"}']);
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(answers).toEqual([
    { line: 1, code: 'input.malformed', message: expect.any(String) },
    { line: 2, code: 'input.malformed', message: expect.any(String) },
    { id: null, ok: false, code: 'input.id', message: expect.any(String) },
    { id: 4, ok: false, code: 'schema.too-deep', message: expect.any(String) },
    { id: null, ok: true, value: 1 },
  ]);
});

it('--help names each code', () => {
  const { stdout } = spawnSync(process.execPath, [CLI, 'contracts', 'decode', '--help'], { encoding: 'utf8' });
  const told = new Set(stdout.split(/[\s,]+/));
  for (const code of ['input.id', 'input.malformed', 'schema.too-large', ...LINES.map(([each]) => each)]) expect(told).toContain(code);
});
