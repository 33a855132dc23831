import { type ErrorKind, FactlineError, Refusal } from 'factline/kernel';
import { reactions } from './index.js';
import { verdictOf } from './verdict.js';

const made = reactions({ name: 'mails', from: 'now', retry: { retryIf: (error) => error instanceof RangeError } });
const of = (kind: ErrorKind, retry?: boolean) => new FactlineError({ code: 'spec.error', kind, message: kind, ...(retry !== undefined && { retry }) });

it.each<[string, unknown, string]>([
  ['something is away', of('unavailable'), 'wait'],
  ['nobody knows whether a commit happened', of('unavailable', false), 'wait'],
  ['a password is refused, or a table is not there yet', of('configuration'), 'wait'],
  ['somebody else owns it now', of('fenced'), 'wait'],
  ['the error says that it passes', of('conflict', true), 'wait'],
  ['the app says that it passes', new RangeError('full'), 'wait'],
  ['a rule says no', new Refusal({ code: 'spec.refused', message: 'no' }), 'park'],
  ['the input is wrong', of('invalid'), 'park'],
  ['a row breaks a constraint', of('conflict'), 'park'],
  ['data contradicts a guarantee', of('integrity'), 'park'],
  ['nobody knows what it means', new TypeError('x is not a function'), 'retry'],
  ['it is not even an error', 'text', 'retry'],
])('when %s', (_when, error, verdict) => {
  expect(verdictOf(error, made)).toBe(verdict);
});
