import type { Line } from './fake-schemas.spec.support.js';

/** An answer that depends on the line of Apicurio. */
export class ByLine {
  constructor(readonly lines: Readonly<Record<Line, unknown>>) {}
}

/** `S` in a request is the script's own subject, `T` a second one, `#1` the first id that was answered. The answer's message is shown as `...`. */
export type Exchange = readonly [request: string, body: unknown, status: number | ByLine, answer: unknown];

/** Stands for the namespace of one run: contents are shared by all subjects of a registry. */
export const NAMESPACE = 'its.own.namespace';

const either = (three0: unknown, three3: unknown): ByLine => new ByLine({ '3.0': three0, '3.3': three3 });
const no = (code: number) => ({ message: '...', error_code: code });
const level = (name: string | ByLine) => ({ compatibilityLevel: name });
const set = (name: string) => either(level(name), { compatibility: name, normalize: false });
const schemaOf = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'A', namespace: NAMESPACE, fields: [{ name: 'id', type: 'string' }, ...fields] });
const body = (schema: string) => ({ schema });
const found = (schema: string, more: object = {}) => either({ ...more, schema, schemaType: 'AVRO', references: [] }, { ...more, schema });

const A = schemaOf();
const SAME = `{ "namespace": "${NAMESPACE}", "name": "A", "fields": [ { "type": "string", "name": "id" } ], "type": "record" }`;
const OPTIONAL = schemaOf({ name: 'n', type: ['null', 'int'], default: null });
const OTHER = schemaOf({ name: 'm', type: ['null', 'int'], default: null });
const REQUIRED = schemaOf({ name: 'r', type: 'int' });
const DEFAULTED = schemaOf({ name: 'r', type: 'int', default: 0 });
const EMPTY = JSON.stringify({ type: 'record', name: 'A', namespace: NAMESPACE, fields: [] });
const RETYPED = schemaOf({ name: 'r', type: 'string', default: '' });
const INVALID = schemaOf({ name: 'r', type: 'nonsense' });

/** What is asked of each registry, and what all of them answer. Recorded from Apicurio 3.0.9 and 3.3.3, whose global level was FULL_TRANSITIVE. */
export const SCRIPTS: Readonly<Record<string, readonly Exchange[]>> = {
  'the same schema twice, and in other words': [
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /subjects/S/versions', body(SAME), 200, { id: either('#2', '#1') }],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /subjects/T/versions', body(A), 200, { id: '#1' }],
    ['GET /subjects/S/versions', undefined, 200, either([1, 2], [1])],
    ['GET /subjects', undefined, 200, ['S', 'T']],
    ['POST /subjects/S', body(A), 200, either({ subject: 'S', version: 1, id: '#1', schema: A, references: [] }, { subject: 'S', version: 1, id: '#1', schema: A })],
    ['POST /subjects/S', body(OTHER), 404, no(40403)],
    ['POST /subjects/T', body(SAME), either(404, 200), either(no(40403), { subject: 'T', version: 1, id: '#1', schema: A })],
  ],
  'versions and ids': [
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /subjects/S/versions', body(OPTIONAL), 200, { id: '#2' }],
    ['GET /subjects/S/versions', undefined, 200, [1, 2]],
    ['GET /subjects/S/versions/1', undefined, 200, found(A, { subject: 'S', version: 1, id: '#1' })],
    ['GET /subjects/S/versions/latest', undefined, 200, found(OPTIONAL, { subject: 'S', version: 2, id: '#2' })],
    ['GET /subjects/S/versions/2/schema', undefined, 200, JSON.parse(OPTIONAL)],
    ['GET /schemas/ids/#1', undefined, 200, found(A)],
    ['GET /schemas/ids/#2/schema', undefined, 200, JSON.parse(OPTIONAL)],
    ['GET /schemas/ids/#2/versions', undefined, 200, [{ subject: 'S', version: 2 }]],
  ],
  'what is not there': [
    ['GET /schemas/ids/2000000000', undefined, 404, no(40403)],
    ['GET /schemas/ids/2000000000/versions', undefined, 404, no(40403)],
    ['GET /subjects/S/versions', undefined, 404, no(40401)],
    ['GET /subjects/S/versions/latest', undefined, 404, no(40401)],
    ['POST /subjects/S', body(A), 404, no(40401)],
    ['GET /config/S', undefined, 404, no(40401)],
    ['DELETE /config/S', undefined, 404, no(40401)],
    ['DELETE /subjects/S', undefined, 404, no(40401)],
    ['DELETE /subjects/S/versions/1', undefined, 404, no(40401)],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['GET /subjects/S/versions/7', undefined, 404, no(40402)],
    ['GET /subjects/S/versions/seven', undefined, 404, no(40402)],
    ['DELETE /subjects/S/versions/7', undefined, 404, no(40402)],
    ['POST /compatibility/subjects/S/versions/7', body(A), 404, no(40402)],
    ['POST /compatibility/subjects/T/versions/1', body(A), 404, no(40402)],
    ['POST /compatibility/subjects/T/versions', body(A), 404, no(40401)],
    ['POST /compatibility/subjects/T/versions/latest', body(A), 200, { is_compatible: true }],
  ],
  'what is no schema': [
    ['POST /subjects/S/versions', body(INVALID), 422, no(42201)],
    ['POST /subjects/S/versions', body('{'), 422, no(42201)],
    ['POST /subjects/S/versions', {}, 500, no(0)],
    ['POST /subjects/S/versions', 'no JSON', 400, '...'],
    ['GET /subjects/S/versions', undefined, 404, no(40401)],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /compatibility/subjects/S/versions/latest', body(INVALID), 422, no(42201)],
    ['POST /compatibility/subjects/S/versions', body('{'), 422, no(42201)],
    ['POST /compatibility/subjects/S/versions', {}, 422, no(42201)],
    ['POST /subjects/S', body(INVALID), 404, no(40403)],
  ],
  'the level of a subject': [
    ['PUT /config/S', { compatibility: 'BACKWARD' }, 200, set('BACKWARD')],
    ['GET /config/S', undefined, 200, level('BACKWARD')],
    ['GET /subjects/S/versions', undefined, 404, no(40401)],
    ['PUT /config/S', { compatibility: 'nonsense' }, either(500, 422), either(no(0), no(42203))],
    ['PUT /config/S', { compatibility: 'FULL' }, 200, set('FULL')],
    ['PUT /config/S', { compatibility: 'FULL' }, 200, set('FULL')],
    ['DELETE /config/S', undefined, 200, level('FULL')],
    ['GET /config/S', undefined, 404, no(40401)],
    ['GET /config/S?defaultToGlobal=true', undefined, 404, no(40401)],
    ['PUT /config/S', { compatibility: 'NONE' }, either(404, 200), either(no(40401), { compatibility: 'NONE', normalize: false })],
  ],
  'the level of a subject that has none': [
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['GET /config/S', undefined, 200, level('NONE')],
    ['GET /config/S?defaultToGlobal=true', undefined, 200, level('FULL_TRANSITIVE')],
    ['POST /subjects/S/versions', body(REQUIRED), 409, no(409)],
    ['DELETE /config/S', undefined, 200, level('NONE')],
    ['PUT /config/S', { compatibility: 'NONE' }, 200, set('NONE')],
    ['GET /config/S?defaultToGlobal=true', undefined, 200, level(either('FULL_TRANSITIVE', 'NONE'))],
    ['POST /subjects/S/versions', body(REQUIRED), either(409, 200), either(no(409), { id: '#2' })],
  ],
  'deletion, soft and then for good': [
    ['PUT /config/S', { compatibility: 'BACKWARD' }, 200, set('BACKWARD')],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['POST /subjects/S/versions', body(OPTIONAL), 200, { id: '#2' }],
    ['POST /subjects/S/versions', body(OTHER), 200, { id: '#3' }],
    ['DELETE /subjects/S/versions/2?permanent=true', undefined, 409, no(40407)],
    ['DELETE /subjects/S/versions/2', undefined, 200, 2],
    ['DELETE /subjects/S/versions/2', undefined, 409, no(40406)],
    ['GET /subjects/S/versions', undefined, 200, [1, 3]],
    ['GET /subjects/S/versions?deleted=true', undefined, 200, [1, 2, 3]],
    ['GET /subjects/S/versions/2', undefined, 404, no(40402)],
    ['GET /subjects/S/versions/2?deleted=true', undefined, 200, found(OPTIONAL, { subject: 'S', version: 2, id: '#2' })],
    ['GET /schemas/ids/#2', undefined, 200, found(OPTIONAL)],
    ['GET /schemas/ids/#2/versions?deleted=true', undefined, 200, [{ subject: 'S', version: 2 }]],
    ['POST /subjects/S', body(OPTIONAL), 404, no(40403)],
    ['POST /subjects/S/versions', body(OPTIONAL), 200, { id: '#2' }],
    ['GET /subjects/S/versions', undefined, 200, [1, 3, 4]],
    ['DELETE /subjects/S/versions/2?permanent=true', undefined, 200, 2],
    ['DELETE /subjects/S/versions/latest', undefined, 200, 4],
    ['DELETE /subjects/S?permanent=true', undefined, 409, no(40405)],
    ['DELETE /subjects/S', undefined, 200, either([1, 3], [1, 3, 4])],
    ['DELETE /subjects/S', undefined, 404, no(40404)],
    ['GET /subjects', undefined, 200, []],
    ['GET /subjects?deleted=true', undefined, 200, ['S']],
    ['GET /config/S', undefined, 200, level('BACKWARD')],
    ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
    ['GET /subjects/S/versions', undefined, 200, [5]],
    ['DELETE /subjects/S', undefined, 200, either([5], [1, 3, 4, 5])],
    ['DELETE /subjects/S?permanent=true', undefined, 200, [1, 3, 4, 5]],
    ['DELETE /subjects/S?permanent=true', undefined, 404, no(40401)],
    ['GET /schemas/ids/#3', undefined, 404, no(40403)],
    ['POST /subjects/S/versions', body(A), 200, { id: either('#4', '#1') }],
    ['GET /subjects/S/versions', undefined, 200, [1]],
    ['GET /config/S', undefined, 200, level('NONE')],
  ],
  ...Object.fromEntries(['BACKWARD', 'FORWARD', 'FULL'].flatMap((direction) => [direction, `${direction}_TRANSITIVE`]).map((name) => [`the level ${name}`, scriptOf(name)])),
};

/** The second version takes back a field of the first, and the third gives it another type. */
function scriptOf(name: string): readonly Exchange[] {
  const holds = (backward: boolean, forward: boolean) => ({ is_compatible: (name.startsWith('FORWARD') || backward) && (name.startsWith('BACKWARD') || forward) });
  return [
    ['PUT /config/S', { compatibility: name }, 200, set(name)],
    ['POST /subjects/S/versions', body(DEFAULTED), 200, { id: '#1' }],
    ['POST /subjects/S/versions', body(A), 200, { id: '#2' }],
    ['POST /compatibility/subjects/S/versions/latest', body(REQUIRED), 200, holds(false, true)],
    ['POST /compatibility/subjects/S/versions/latest', body(EMPTY), 200, holds(true, false)],
    ['POST /compatibility/subjects/S/versions/latest', body(RETYPED), 200, holds(true, true)],
    ['POST /compatibility/subjects/S/versions/1', body(RETYPED), 200, holds(false, false)],
    ['POST /compatibility/subjects/S/versions', body(RETYPED), 200, holds(false, false)],
    ['POST /subjects/S/versions', body(RETYPED), name.endsWith('_TRANSITIVE') ? 409 : 200, name.endsWith('_TRANSITIVE') ? no(409) : { id: '#3' }],
  ];
}

/** What a registry without a global level answers; leaves it without one. */
export const WITHOUT_GLOBAL_LEVEL: readonly Exchange[] = [
  ['PUT /config', { compatibility: 'NONE' }, 200, set('NONE')],
  ['POST /subjects/S/versions', body(A), 200, { id: '#1' }],
  ['POST /compatibility/subjects/S/versions/latest', body(REQUIRED), 200, { is_compatible: true }],
  ['DELETE /config', undefined, either(405, 200), either('', level('NONE'))],
  ['GET /config', undefined, 200, level('NONE')],
  ['GET /config/S', undefined, 200, level('NONE')],
  ['GET /config/S?defaultToGlobal=true', undefined, 200, level('NONE')],
  ['POST /compatibility/subjects/S/versions/latest', body(REQUIRED), 200, { is_compatible: either(true, false) }],
  ['POST /subjects/S/versions', body(REQUIRED), 200, { id: '#2' }],
  ['PUT /config/S', { compatibility: 'FULL' }, 200, set('FULL')],
  ['POST /subjects/S/versions', body(EMPTY), 409, no(409)],
];

/** One exchange of a script: the request, and which one of several like it. */
type Where = readonly [script: string, request: string, at?: number];

/** Where Apicurio answers otherwise than Confluent documents, and which lines do; the answer is Confluent's. */
export const NOT_AS_CONFLUENT: readonly (readonly [what: string, where: Where, lines: readonly Line[], status: number, body: unknown])[] = [
  ['a schema in other words is the same schema', ['the same schema twice, and in other words', 'POST /subjects/S/versions', 2], ['3.0'], 200, { id: '#1' }],
  ['a subject without a level has none', ['the level of a subject that has none', 'GET /config/S'], ['3.0', '3.3'], 404, no(40408)],
  ['a subject that is not there has no level', ['what is not there', 'GET /config/S'], ['3.0', '3.3'], 404, no(40408)],
  ['a subject that is not there has the global level', ['the level of a subject', 'GET /config/S?defaultToGlobal=true'], ['3.0', '3.3'], 200, level('FULL_TRANSITIVE')],
  ['a level is told as it was set', ['the level FULL', 'PUT /config/S'], ['3.0', '3.3'], 200, { compatibility: 'FULL' }],
  ['NONE is a level like others', ['the level of a subject that has none', 'POST /subjects/S/versions', 2], ['3.0'], 200, { id: '#2' }],
  ['an unknown level is invalid', ['the level of a subject', 'PUT /config/S', 1], ['3.0'], 422, no(42203)],
  ['a version is a number', ['what is not there', 'GET /subjects/S/versions/seven'], ['3.0', '3.3'], 422, no(42202)],
  ['below a transitive level only the latest version counts', ['the level BACKWARD', 'POST /compatibility/subjects/S/versions'], ['3.0', '3.3'], 200, { is_compatible: true }],
  ['a version is deleted softly first', ['deletion, soft and then for good', 'DELETE /subjects/S/versions/2?permanent=true'], ['3.0', '3.3'], 404, no(40407)],
  ['a version is deleted softly once', ['deletion, soft and then for good', 'DELETE /subjects/S/versions/2', 1], ['3.0', '3.3'], 404, no(40406)],
  ['a subject is deleted softly first', ['deletion, soft and then for good', 'DELETE /subjects/S?permanent=true'], ['3.0', '3.3'], 404, no(40405)],
];
