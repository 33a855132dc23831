import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { CompatibilityLevel } from './facts.js';
import { type Answer, type Line, Refusal } from './fake-schemas.spec.support.js';
import { FakeSubjects } from './fake-subjects.spec.support.js';

/** How an exchange goes wrong. Calling `answer` makes what was asked happen; a fault that does not call it leaves everything as it was. */
export type Fault = (response: ServerResponse, answer: () => Answer) => void | Promise<void>;

/** Bad days of a registry. */
export const faults = {
  hangs: () => undefined,
  resets: (response) => void response.destroy(),
  /** What was asked has happened; the caller does not learn it. */
  resetsInside: (response, answer) => {
    const body = JSON.stringify(answer().body);
    response.writeHead(200, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) });
    response.write(body.slice(0, -1), () => response.destroy());
  },
  hangsInside: (response, answer) => void response.writeHead(200, JSON_TYPE).write(JSON.stringify(answer().body).slice(0, 1)),
  truncates: (response, answer) => void response.writeHead(200, JSON_TYPE).end(JSON.stringify(answer().body).slice(0, -1)),
  redirects: (response) => void response.writeHead(302, { location: response.req.url ?? '/' }).end(),
} satisfies Record<string, Fault>;

/** A proxy's own page. */
export const page = (status: number): Fault => (response) => void response.writeHead(status, { 'content-type': 'text/html' }).end(`<html><body><h1>${status}</h1></body></html>`);

export const refusal = (status: number, code: number): Fault => (response) => void response.writeHead(status, JSON_TYPE).end(JSON.stringify({ message: 'because', error_code: code }));

/** Answers so, and does nothing. */
export const pretends = (body: object): Fault => (response) => void response.writeHead(200, JSON_TYPE).end(JSON.stringify(body));

const JSON_TYPE = { 'content-type': 'application/json' };

interface Call {
  readonly subjects: FakeSubjects;
  /** What stands for the `*` of the route. */
  readonly names: readonly [string, string];
  readonly body: { schema?: unknown; compatibility?: unknown };
  readonly flag: (name: string) => boolean;
}

const ROUTES: Readonly<Record<string, (call: Call) => unknown>> = {
  'GET /subjects': ({ subjects, flag }) => subjects.subjects(flag('deleted')),
  'POST /subjects/*': ({ subjects, names, body, flag }) => subjects.lookup(names[0], String(body.schema), flag('deleted')),
  'DELETE /subjects/*': ({ subjects, names, flag }) => subjects.deleteSubject(names[0], flag('permanent')),
  'GET /subjects/*/versions': ({ subjects, names, flag }) => subjects.versions(names[0], flag('deleted')),
  'POST /subjects/*/versions': ({ subjects, names, body }) => subjects.register(names[0], body.schema),
  'GET /subjects/*/versions/*': ({ subjects, names, flag }) => subjects.version(...names, flag('deleted')),
  'DELETE /subjects/*/versions/*': ({ subjects, names, flag }) => subjects.deleteVersion(...names, flag('permanent')),
  'GET /subjects/*/versions/*/schema': ({ subjects, names, flag }) => JSON.parse(subjects.version(...names, flag('deleted')).schema) as unknown,
  'GET /schemas/ids/*': ({ subjects, names }) => subjects.schema(Number(names[0])),
  'GET /schemas/ids/*/schema': ({ subjects, names }) => JSON.parse(subjects.schema(Number(names[0])).schema) as unknown,
  'GET /schemas/ids/*/versions': ({ subjects, names, flag }) => subjects.usesOf(Number(names[0]), flag('deleted')),
  'POST /compatibility/subjects/*/versions': ({ subjects, names, body }) => subjects.check(names[0], undefined, body.schema),
  'POST /compatibility/subjects/*/versions/*': ({ subjects, names, body }) => subjects.check(...names, body.schema),
  'GET /config': ({ subjects }) => ({ compatibilityLevel: subjects.level ?? 'NONE' }),
  'PUT /config': ({ subjects, body }) => subjects.setLevel(undefined, body.compatibility),
  'DELETE /config': ({ subjects }) => ({ compatibilityLevel: subjects.unsetGlobalLevel() }),
  'GET /config/*': ({ subjects, names, flag }) => ({ compatibilityLevel: subjects.levelOf(names[0], flag('defaultToGlobal')) }),
  'PUT /config/*': ({ subjects, names, body }) => subjects.setLevel(names[0], body.compatibility),
  'DELETE /config/*': ({ subjects, names }) => ({ compatibilityLevel: subjects.unsetLevel(names[0]) }),
};

/** A schema registry inside this process that speaks Confluent's REST API as Apicurio does, and goes wrong when told to. */
export class FakeRegistry {
  /** `GET /schemas/ids/1`, in the order of arrival, also those that go wrong. */
  readonly requests: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  readonly subjects: FakeSubjects;
  readonly #server: Server;
  readonly #faults: { prefix: string; fault: Fault }[] = [];

  private constructor(line: Line, level: CompatibilityLevel | undefined) {
    this.subjects = new FakeSubjects(line, level);
    this.#server = createServer((request, response) => void this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error)));
  }

  /** @param level The global level, as a stack sets it. */
  static async start(line: Line = '3.0', level?: CompatibilityLevel): Promise<FakeRegistry> {
    const registry = new FakeRegistry(line, level);
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every request that begins like this goes wrong like that, the latest rule first, until `heal`. */
  breaks(prefix: string, fault: Fault): void {
    this.#faults.unshift({ prefix, fault });
  }

  heal(): void {
    this.#faults.length = 0;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    this.requests.push(line);
    this.authorizations.add(request.headers.authorization);
    const body = await text(request);
    const answer = () => answerTo(this.subjects, line, body);
    const broken = this.#faults.find(({ prefix }) => line.startsWith(prefix));
    await (broken?.fault ?? send)(response, answer);
  }
}

/** Nothing goes wrong. */
const send: Fault = (response, answer) => {
  const { status, body } = answer();
  response.writeHead(status, JSON_TYPE).end(typeof body === 'string' ? body : JSON.stringify(body));
};

function answerTo(subjects: FakeSubjects, line: string, sent: string): Answer {
  const [method, url] = line.split(' ') as [string, string];
  const { pathname, searchParams } = new URL(url, 'http://registry');
  const path = pathname.split('/').slice(1);
  const route = Object.keys(ROUTES).find((each) => matches(each, method, path));
  if (!route) return { status: 404, body: '' };
  const names = path.filter((_part, at) => route.split('/')[at + 1] === '*').map(decodeURIComponent) as [string, string];
  try {
    const body = sent === '' ? {} : (JSON.parse(sent) as Call['body']);
    return { status: 200, body: ROUTES[route]!({ subjects, names, body, flag: (name) => searchParams.get(name) === 'true' }) };
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    if (error instanceof SyntaxError) return { status: 400, body: 'Not able to deserialize data provided.' };
    throw error;
  }
}

function matches(route: string, method: string, path: readonly string[]): boolean {
  const [wanted, ...parts] = route.split('/');
  return wanted === `${method} ` && parts.length === path.length && parts.every((part, at) => part === '*' || part === path[at]);
}
