import { FactlineError } from 'factline/kernel';
import { exitWith } from './command.js';

const MISSING = new FactlineError({ code: 'git.unknown-ref', kind: 'unavailable', message: 'There is no such branch.', advice: 'Fetch it.' });

const write = process.stderr.write.bind(process.stderr);
let printed: string;
beforeEach(() => {
  printed = '';
  process.stderr.write = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
});
afterEach(() => {
  process.stderr.write = write;
  process.exitCode = undefined;
});

it.each([{ json: true }, { format: 'json' }, { format: 'sarif' }, { format: 'junit' }, { format: 'text', json: true }])('tells an error as JSON where a program reads the result: %j', async (options) => {
  await exitWith(options, () => Promise.reject(MISSING));
  expect(JSON.parse(printed)).toEqual({ error: 'git.unknown-ref', kind: 'unavailable', message: 'There is no such branch.', advice: 'Fetch it.', details: {} });
  expect(process.exitCode).toBe(3);
});

it.each([{}, { format: 'text' }, { format: 'markdown' }, { format: 'github' }])('and to people in lines: %j', async (options) => {
  await exitWith(options, () => Promise.reject(MISSING));
  expect(printed).toBe('error  There is no such branch.  (git.unknown-ref)\nnext   Fetch it.\n');
  expect(process.exitCode).toBe(3);
});
