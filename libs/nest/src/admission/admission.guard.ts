import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { FactlineError } from 'factline/kernel';
import type { HttpRequest, HttpResponse } from '../http/exchange.js';
import { AdmissionControl, type Policy } from './control.js';
import { ADMISSION, ALWAYS_ADMITTED } from './metadata.js';
import type { AdmissionChoice } from './options.js';

const seen = new WeakSet<HttpRequest>();

/**
 * Turns requests away before work is done for them: 503 while the service has too much to do, the least important first (`Shedder`), then 429 for clients over their
 * rate (`TokenBucket`); both with Retry-After and a problem document. Answers under a rate carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
 *
 * `@Admission()` puts it before a controller or a route. `{ provide: APP_GUARD, useClass: AdmissionGuard }` puts it before all of them: what declares nothing is then of normal
 * priority. Health and metrics are always admitted; so is whatever is not HTTP.
 */
@Injectable()
export class AdmissionGuard implements CanActivate {
  constructor(
    private readonly control: AdmissionControl,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    if (seen.has(request) || this.reflector.get(ALWAYS_ADMITTED, context.getClass())) return true;
    seen.add(request); // a guard on the class, on the method and on the app asks once
    const { choice, policy } = this.#declared(context);
    const priority = choice.priority ?? 'normal';
    const verdict = this.control.shed(priority);
    if (!verdict.admitted) throw shed(verdict);
    const client = policy && this.control.clientOf(request);
    const response = context.switchToHttp().getResponse<HttpResponse>();
    if (!policy || client === undefined) return this.control.admitted(priority, response);
    return this.#withinRate(policy, { client, cost: choice.cost ?? 1, priority, response });
  }

  async #withinRate(policy: Policy, { client, cost, priority, response }: { client: string; cost: number; priority: NonNullable<AdmissionChoice['priority']>; response: HttpResponse }): Promise<boolean> {
    const taken = await policy.bucket.take(client, cost);
    const resetSeconds = Math.ceil((taken.granted ? taken.fullAfterMs : taken.retryAfterMs) / 1_000);
    response.setHeader('RateLimit-Policy', policy.described);
    response.setHeader('RateLimit', `${policy.name};r=${taken.remaining};t=${resetSeconds}`);
    if (taken.granted) return this.control.admitted(priority, response);
    this.control.limited(priority, policy);
    throw limited(taken.retryAfterMs);
  }

  /** What the method says goes before what its class says, part by part; a rate belongs to where it was declared. */
  #declared(context: ExecutionContext): { choice: AdmissionChoice; policy: Policy | undefined } {
    const [handler, type] = [context.getHandler(), context.getClass()];
    const ofMethod = this.reflector.get<AdmissionChoice | undefined>(ADMISSION, handler) ?? {};
    const ofClass = this.reflector.get<AdmissionChoice | undefined>(ADMISSION, type) ?? {};
    const choice = { ...ofClass, ...ofMethod };
    const place = ofMethod.rate !== undefined ? `${type.name}.${handler.name}` : ofClass.rate !== undefined ? type.name : 'default';
    return { choice, policy: this.control.policy(place, choice.rate) };
  }
}

function shed({ retryAfterMs, because }: { retryAfterMs: number; because: string }): FactlineError {
  return new FactlineError({
    code: 'admission.shed',
    kind: 'unavailable',
    message: 'The service has more to do than it can.',
    advice: 'Come back after the time in Retry-After.',
    retryAfterMs,
    details: { because },
  });
}

function limited(retryAfterMs: number): FactlineError {
  return new FactlineError({
    code: 'admission.limited',
    kind: 'refused',
    message: 'You made more requests than your rate allows.',
    advice: 'Come back after the time in Retry-After; RateLimit-Policy says what is allowed.',
    retry: true,
    retryAfterMs,
  });
}
