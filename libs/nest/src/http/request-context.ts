import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { FactlineError, formatId, newId } from 'factline/kernel';
import { HEADER_ID_CHARACTERS } from '../limits.js';
import { type HttpRequest, routeOf } from './exchange.js';

/** What a request says beside its body, as an explicit argument: nothing travels in ambient context. */
export class RequestContext {
  /** Taken from `x-correlation-id` when that is usable, else new: in logs, answers and facts. */
  readonly correlationId: string;

  constructor(private readonly request: HttpRequest) {
    const given = header(request, 'x-correlation-id');
    this.correlationId = given !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : formatId(newId());
  }

  /** `POST /employees/:id/moves` */
  get operation(): string {
    return `${this.request.method} ${routeOf(this.request)}`;
  }

  /** What the client asked for, for comparison with an earlier request: address and body. */
  get asked(): { address: string; body: unknown } {
    return { address: this.request.originalUrl, body: this.request.body };
  }

  /** @throws FactlineError `request.header` (invalid) when it is not 1 to 200 visible ASCII characters. */
  get idempotencyKey(): string | undefined {
    const key = header(this.request, 'idempotency-key');
    if (key === undefined || new RegExp(`^[\\x21-\\x7e]{1,${HEADER_ID_CHARACTERS}}$`).test(key)) return key;
    throw badHeader('Idempotency-Key', `1 to ${HEADER_ID_CHARACTERS} visible ASCII characters`);
  }

  /** The version the client wants to change; undefined when it does not care. @throws FactlineError `request.header` */
  get ifMatch(): readonly string[] | undefined {
    const text = header(this.request, 'if-match');
    if (text === undefined || text === '*') return undefined;
    const tags = text.split(',').map((tag) => tag.trim());
    if (tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]{0,64}"$/.test(tag))) return tags;
    throw badHeader('If-Match', 'entity tags in quotes, as answered in ETag');
  }

  /**
   * Refuses a change of something that is no longer as the client saw it. Without If-Match everything passes.
   * @throws FactlineError `precondition.failed` (HTTP 412)
   */
  assertVersion(version: number): void {
    if (this.ifMatch?.includes(etagOf(version)) ?? true) return;
    throw new FactlineError({
      code: 'precondition.failed',
      kind: 'conflict',
      message: 'It was changed since you read it.',
      advice: 'Read it again, decide again, and send the new ETag in If-Match.',
    });
  }
}

/** Strong entity tag of a version number. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** One value of a header; several of the same name are no value. */
export function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

export function badHeader(name: string, expects: string): FactlineError {
  return new FactlineError({
    code: 'request.header',
    kind: 'invalid',
    message: `The header ${name} must be ${expects}.`,
    advice: 'Correct or leave out the header.',
    details: { errors: [{ path: name, message: `must be ${expects}` }] },
  });
}

const contexts = new WeakMap<HttpRequest, RequestContext>();

/** The context of a request; made when first asked for. */
export function contextOf(request: HttpRequest): RequestContext {
  let context = contexts.get(request);
  if (!context) contexts.set(request, (context = new RequestContext(request)));
  return context;
}

/** Parameter decorator of controllers: `create(@Body() body: NewEmployee, @Context() request: RequestContext)`. */
export const Context = createParamDecorator((_data: unknown, execution: ExecutionContext) => contextOf(execution.switchToHttp().getRequest<HttpRequest>()));
