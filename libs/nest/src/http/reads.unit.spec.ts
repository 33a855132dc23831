import type { HttpRequest } from './exchange.js';
import { oldestOf, tokenOf, waitOf } from './reads.js';
import { contextOf } from './request-context.js';

const request = (headers: Record<string, string>, query: Record<string, unknown> = {}) => ({ headers, query, method: 'GET' }) as unknown as HttpRequest;
const token = Buffer.from(JSON.stringify(['hr.employee', 'e-1', 3])).toString('base64url');

it.each([
  [undefined, 2_000],
  ['wait=5', 5_000],
  ['respond-async, wait=3', 3_000],
  ['wait=0', 0],
  ['wait=999', 10_000],
  ['wait=-1', 2_000],
  ['waiting=5', 2_000],
])('Prefer: %s waits %d ms', (prefer, ms) => {
  expect(waitOf(request(prefer === undefined ? {} : { prefer }))).toBe(ms);
});

it('takes the token from the header or the query', () => {
  expect(tokenOf(request({ 'factline-token': token }))).toEqual({ topic: 'hr.employee', key: 'e-1', sequence: 3 });
  expect(tokenOf(request({}, { after: token }))?.sequence).toBe(3);
  expect(tokenOf(request({}))).toBeUndefined();
});

it.each([['not a token'], [['a', 'b']], ['x'.repeat(3_000)], [{ a: 'b' }]])('refuses the token %p', (after) => {
  expect(() => tokenOf(request({}, { after }))).toThrow(/token/i);
});

it('answers from several read models as of the oldest, and as of nobody knows when one of them does not', () => {
  const at = (ms: number | null, blockedKeys = 0) => ({ asOf: ms === null ? null : new Date(ms), blockedKeys });
  expect(oldestOf([at(1_000)])).toEqual(at(1_000));
  expect(oldestOf([at(3_000, 1), at(1_000), at(2_000, 2)])).toEqual(at(1_000, 3));
  expect(oldestOf([at(1_000), at(null, 1)])).toEqual(at(null, 1));
});

it('takes a usable correlation id and makes one otherwise', () => {
  expect(contextOf(request({ 'x-correlation-id': 'abc-1' })).correlationId).toBe('abc-1');
  for (const given of ['', 'a b', 'x'.repeat(129), 'a<script>']) expect(contextOf(request({ 'x-correlation-id': given })).correlationId).toMatch(/^[0-9a-f-]{36}$/);
});

it('compares versions strongly', () => {
  const against = (ifMatch?: string) => () => contextOf(request(ifMatch === undefined ? {} : { 'if-match': ifMatch })).assertVersion(3);
  for (const passing of [undefined, '*', '"3"', '"1", "3"']) expect(against(passing)).not.toThrow();
  for (const stale of ['"2"', 'W/"3"']) expect(against(stale)).toThrow(/changed/);
  for (const malformed of ['3', '"', '"3" x']) expect(against(malformed)).toThrow(/If-Match must be/);
});

it.each([['a b'], ['x'.repeat(201)], ['é']])('refuses the idempotency key %p', (key) => {
  expect(() => contextOf(request({ 'idempotency-key': key })).idempotencyKey).toThrow(/Idempotency-Key/);
});
