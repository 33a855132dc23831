import { ForbiddenException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { type ErrorKind, FactlineError, Refusal } from 'factline/kernel';
import { problemOf } from './problem.js';

const error = (kind: ErrorKind, code = 'x.y') => new FactlineError({ code, kind, message: 'What failed.', advice: 'Do this.' });
const statusOf = (thrown: unknown) => problemOf(thrown, 'c').problem.status;

it.each([
  ['invalid', 400],
  ['refused', 422],
  ['conflict', 409],
  ['not-found', 404],
  ['unavailable', 503],
  ['fenced', 409],
  ['integrity', 500],
  ['configuration', 500],
  ['internal', 500],
] as const)('%s is %d', (kind, status) => {
  expect(statusOf(error(kind))).toBe(status);
});

it('tells code, detail, advice and correlation id of what the caller can act on', () => {
  expect(problemOf(new Refusal({ code: 'employee.terminated', message: 'It ended.', advice: 'Leave it.' }), 'c-1').problem).toEqual({
    type: 'urn:factline:problem:employee.terminated',
    title: 'Unprocessable Entity',
    status: 422,
    code: 'employee.terminated',
    detail: 'It ended.',
    advice: 'Leave it.',
    correlationId: 'c-1',
  });
});

it('tells nothing of what is our fault', () => {
  for (const thrown of [error('internal'), error('integrity'), error('configuration'), error('refused', 'store.forbidden'), new Error('secret'), 'secret', null, undefined, new InternalServerErrorException('secret')]) {
    const { problem } = problemOf(thrown, 'c-1');
    expect(problem.status).toBe(500);
    expect(problem.correlationId).toBe('c-1');
    expect(JSON.stringify(problem)).not.toMatch(/secret|What failed|Do this/);
  }
});

it('hides the words of the database, which may repeat values', () => {
  const { problem } = problemOf(new FactlineError({ code: 'store.constraint', kind: 'conflict', message: 'Postgres: secret', advice: 'A row breaks a constraint.' }), 'c');
  expect([problem.status, problem.detail]).toEqual([409, 'The database did not do this.']);
});

it('keeps the status of Nest and of the body parser', () => {
  expect([statusOf(new NotFoundException()), statusOf(new ForbiddenException('no')), statusOf(Object.assign(new Error('x'), { status: 413 }))]).toEqual([404, 403, 413]);
});

it('has the more exact word of HTTP where there is one', () => {
  expect(['precondition.failed', 'request.too-large', 'request.media-type'].map((code) => statusOf(error('invalid', code)))).toEqual([412, 413, 415]);
});

it('says when to come back, in whole seconds, at least one', () => {
  const after = (retryAfterMs?: number) => problemOf(new FactlineError({ code: 'a.b', kind: 'unavailable', message: 'm', ...(retryAfterMs !== undefined && { retryAfterMs }) }), 'c').retryAfterSeconds;
  expect([after(), after(1), after(4_001)]).toEqual([1, 1, 5]);
  expect(problemOf(error('invalid'), 'c').retryAfterSeconds).toBeUndefined();
});

it('names the field that the encoder of facts refused, and at most fifty fields', () => {
  const fault = new FactlineError({ code: 'fact.invalid', kind: 'invalid', message: 'm', details: { path: 'address.city' } });
  expect(problemOf(fault, 'c').problem.errors).toEqual([{ path: 'address.city', message: 'm' }]);
  const many = Array.from({ length: 200 }, (_, i) => ({ path: `f${i}`, message: 'm' }));
  expect(problemOf(new FactlineError({ code: 'request.invalid', kind: 'invalid', message: 'm', details: { errors: many } }), 'c').problem.errors).toHaveLength(50);
});
