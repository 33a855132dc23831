import fc from 'fast-check';
import type { Parameter, Route } from './openapi.js';
import { hostile, jsonOf, mutated, valid } from './values.js';

/** A request as it goes over the wire. `known` in the target stands for an id that the app answered before. */
export interface WireRequest {
  route: Route;
  method: string;
  target: (known: readonly string[]) => string;
  headers: readonly [name: string, value: string][];
  body?: Buffer;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : jsonOf(value));
/** Percent-encoding that takes any text, half surrogate pairs as well. */
const encoded = (value: unknown) => [...Buffer.from(textOf(value).slice(0, 6_000), 'utf8')].map((byte) => (/[A-Za-z0-9_.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`)).join('');

/** Raw pieces of an address, some of which are no addresses. */
const oddPiece = fc.constantFrom('%', '%zz', '%00', '%ff', '%ED%A0%80', '%c0%ae', '..', '%2e%2e%2f', '%2F', '%5c', '*', ';', '//', '%0d%0aX:1', 'a'.repeat(5_000), '%F0%9F%92%A3', '[]', '{}', '|');

const segment = ({ schema = {} }: Parameter): fc.Arbitrary<(known: readonly string[]) => string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.nat(1_000).map((at) => (known: readonly string[]) => (known.length > 0 ? encoded(known[at % known.length]) : 'x')) },
    { weight: 2, arbitrary: valid(schema).map((value) => () => encoded(value) || 'x') },
    { weight: 1, arbitrary: hostile.map((value) => () => encoded(value)) },
    { weight: 1, arbitrary: oddPiece.map((piece) => () => piece) },
  );

/** Most requests break one thing: what breaks everything at once is refused for the first, and tells nothing of the others. */
const seldom = <T>(usual: T, odd: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });

const queryOf = (parameters: readonly Parameter[]): fc.Arbitrary<string> => {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const pair = ({ name, schema = {} }: Parameter) => fc.oneof({ weight: 3, arbitrary: valid(schema) }, { weight: 1, arbitrary: hostile }).map((value) => `${encoded(name)}=${encoded(value)}`);
  const odd = fc.oneof(
    fc.tuple(fc.constantFrom('limit', 'cursor', 'id', '__proto__', 'a', ...known.map(({ name }) => name)), fc.constantFrom('=1&{n}=2', '[]=1', '[a]=1', '[__proto__][x]=1', '', '=%00', '=%', '=%ED%A0%80', `=${'9'.repeat(400)}`)).map(([name, rest]) => `${name}${rest.replace('{n}', name)}`),
    fc.constantFrom('?', '&&&', '=', '%', '%00=%00', Array.from({ length: 1_500 }, (_, index) => `a${index}=1`).join('&')),
  );
  const usual = known.length === 0 ? fc.constant('') : fc.subarray([...known]).chain((some) => (some.length === 0 ? fc.constant('') : fc.tuple(...some.map(pair)).map((pairs) => pairs.join('&'))));
  return fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: odd });
};

/** Header values are bytes without line ends and NUL: with those it would be another request, not another header. */
const headerValue = (value: unknown) => textOf(value).replaceAll(/[\0\r\n]/g, '').slice(0, 3_000);

const headersOf = (parameters: readonly Parameter[]): fc.Arbitrary<[string, string][]> => {
  const known = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
  const odd = fc.oneof(
    fc.tuple(fc.constantFrom('If-Match', 'Idempotency-Key', 'x-correlation-id', 'traceparent', 'Accept', 'Accept-Language', 'Accept-Encoding', 'Cookie', 'Authorization', 'Range', 'If-None-Match', 'X-Forwarded-For', 'Origin', 'Prefer', ...known), hostile).map(([name, value]): [string, string] => [name, headerValue(value)]),
    fc.constantFrom<[string, string]>(['Expect', 'nonsense'], ['Upgrade', 'websocket'], ['Content-Encoding', 'gzip'], ['Content-Encoding', 'nonsense'], ['X-HTTP-Method-Override', 'DELETE'], ['X'.repeat(500), 'x'], ['x-long', 'x'.repeat(20_000)], ['Prefer', 'wait=0'], ['If-Match', '"1"'], ['If-Match', '"99", W/"x"']),
  );
  return seldom<[string, string][]>([], fc.array(odd, { minLength: 1, maxLength: 3 }), 3);
};

/** Text, bytes that are none, and what begins like a PDF. */
const file = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string().map((text) => Buffer.from(`%PDF-1.4\n${text}`)),
);

const bodyOf = ({ body, files }: Route): fc.Arbitrary<Buffer | undefined> => {
  if (files.length > 0) return fc.oneof({ weight: 8, arbitrary: file }, { weight: 1, arbitrary: fc.constant(undefined) });
  const schema = body ?? { type: 'object' };
  const json = fc.oneof({ weight: 3, arbitrary: valid(schema) }, { weight: 4, arbitrary: mutated(schema) }).map((value) => Buffer.from(jsonOf(value)));
  const broken = fc.tuple(json, fc.nat(), fc.constantFrom('cut', 'bytes', 'bom', 'twice', 'quote', 'empty', 'blank', 'utf16')).map(([text, at, how]) => {
    if (how === 'cut') return text.subarray(0, at % (text.length + 1));
    if (how === 'bytes') return Buffer.concat([text.subarray(0, at % (text.length + 1)), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), text.subarray(at % (text.length + 1))]);
    if (how === 'bom') return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text]);
    if (how === 'twice') return Buffer.concat([text, text]);
    if (how === 'quote') return Buffer.from(text.toString('utf8').replaceAll('"', "'"));
    if (how === 'utf16') return Buffer.from(text.toString('utf8'), 'utf16le');
    return Buffer.from(how === 'blank' ? '   ' : '');
  });
  if (!body) return seldom<Buffer | undefined>(undefined, json);
  return fc.oneof({ weight: 8, arbitrary: json }, { weight: 2, arbitrary: broken }, { weight: 1, arbitrary: fc.constant(undefined) });
};

const contentTypes = fc.constantFrom('text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16', 'application/json; charset=nonsense', 'application/merge-patch+json', 'APPLICATION/JSON', 'json', '', ';', 'application/json,text/plain', 'x'.repeat(1_000));
const oddMethods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'M-SEARCH', 'BREW', 'get', 'GETGETGETGET');

/** Requests for one route. */
export function requestsFor(route: Route): fc.Arbitrary<WireRequest> {
  const names = [...route.path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name!);
  const parameterOf = (name: string): Parameter => route.parameters.find((parameter) => parameter.in === 'path' && parameter.name === name) ?? { name, in: 'path' };
  return fc
    .record({
      segments: fc.tuple(...names.map((name) => segment(parameterOf(name)))),
      query: queryOf(route.parameters),
      headers: headersOf(route.parameters),
      method: seldom(route.method, oddMethods),
      contentType: fc.constantFrom(...(route.files.length > 0 ? route.files : ['application/json'])).chain((usual) => seldom(usual, contentTypes)),
      body: bodyOf(route),
    })
    .map(({ segments, query, headers, method, contentType, body }) => ({
      route,
      method,
      target: (known: readonly string[]) => names.reduce((path, name, index) => path.replace(`{${name}}`, () => segments[index]!(known)), route.path) + (query && `?${query}`),
      headers: [...headers, ...(body ? ([['Content-Type', contentType]] as [string, string][]) : [])],
      ...(body && { body }),
    }));
}
