import fc from 'fast-check';
import { messageOf } from 'factline/kernel';
import type { SimulationRuns } from 'factline/testing/simulation';
import { type Route, routesOf } from './openapi.js';
import { type WireRequest, requestsFor } from './requests.js';
import { type WireAnswer, exchange } from './wire.js';

export interface FuzzOptions {
  runs: SimulationRuns;
  /** Ends in time, whatever the machine; the runs that were made count. */
  withinMs: number;
  /** An answer later than this is none. */
  boundMs: number;
}

export interface Fuzzed {
  routes: readonly Route[];
  /** `POST /employees`: how often which status was answered. */
  statuses: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** What is wrong with an answer to any request: our fault, none at all, or a refusal that is no problem document. */
function faultOf(method: string, answer: WireAnswer | undefined): string | undefined {
  if (!answer) return 'no answer';
  if (answer.status >= 500) return `${answer.status} ${answer.body.slice(0, 300)}`;
  if (answer.status < 400) return undefined;
  if (!answer.contentType.startsWith('application/problem+json')) return `${answer.status} as '${answer.contentType}'`;
  if (method === 'HEAD') return undefined;
  const { status, code } = problemIn(answer.body);
  return status === answer.status && typeof code === 'string' ? undefined : `${answer.status} with a body that is no problem: ${answer.body.slice(0, 300)}`;
}

function problemIn(body: string): { status?: unknown; code?: unknown } {
  try {
    return JSON.parse(body) as { status?: unknown; code?: unknown };
  } catch {
    return {};
  }
}

/** Sends requests to every route of an app's OpenAPI document. @throws Error with the smallest request found that is not answered as it must be, and the seed. */
export async function fuzz(url: string, { runs, withinMs, boundMs }: FuzzOptions): Promise<Fuzzed> {
  const routes = await routesOf(url);
  const statuses = new Map(routes.map((route) => [nameOf(route), new Map<number, number>()]));
  const known: string[] = [];
  const send = async (request: WireRequest) => {
    const target = request.target(known);
    const answer = await exchange(url, request, target, boundMs);
    const seen = statuses.get(nameOf(request.route))!;
    if (answer) seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
    remember(known, answer);
    const fault = faultOf(request.method, answer);
    if (fault) throw new Error(`${shown(request, target)}\n=> ${fault}`);
  };
  const { failed, seed, counterexamplePath, errorInstance } = await fc.check(fc.asyncProperty(fc.constantFrom(...routes).chain(requestsFor), send), { ...runs, plugins: [fc.interruptAfterTimeLimit(withinMs)] });
  if (failed) throw new Error(`${messageOf(errorInstance)}\nFACTLINE_SEED='${seed}:${counterexamplePath}' asks it again`);
  return { routes, statuses };
}

const KNOWN = 50;

/** Ids that were answered lead to rows that exist. */
function remember(known: string[], answer: WireAnswer | undefined): void {
  if (!answer || answer.status >= 300 || known.length >= KNOWN) return;
  for (const [, id] of answer.body.matchAll(/"(?:\w*[iI]d)":"([^"\\]{1,100})"/g)) if (known.length < KNOWN && !known.includes(id!)) known.push(id!);
}

function shown({ method, headers, body }: WireRequest, target: string): string {
  return `${method} ${target.slice(0, 300)}\n${headers.map(([name, value]) => `${name}: ${value.slice(0, 100)}`).join('\n')}\n\n${body?.toString('utf8').slice(0, 500) ?? ''}`;
}
