import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { FactlineError } from 'factline/kernel';
import type { HttpRequest } from '../http/exchange.js';
import { header } from '../http/request-context.js';
import { ADMIN_TOKEN } from './source.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** `Authorization: Bearer <token>`, compared in constant time. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(@Inject(ADMIN_TOKEN) private readonly token: string) {}

  canActivate(context: ExecutionContext): boolean {
    const given = header(context.switchToHttp().getRequest<HttpRequest>(), 'authorization') ?? '';
    if (timingSafeEqual(digest(given), digest(`Bearer ${this.token}`))) return true;
    throw new FactlineError({ code: 'admin.unauthorized', kind: 'refused', message: 'The token is missing or wrong.', advice: 'Send Authorization: Bearer <token>, with the token of the app’s settings.' });
  }
}
