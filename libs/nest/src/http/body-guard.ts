import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { FactlineError } from 'factline/kernel';
import { type FileChoice, fileChoiceOf } from '../files/choice.js';
import { tooLarge } from '../files/receive.js';
import type { HttpRequest } from './exchange.js';
import { mediaTypeOf } from './media-type.js';
import { header } from './request-context.js';

/** A body in another form than the route takes is refused (415), instead of being taken for an empty one: JSON, or of a `@TakesFile` route a file of its types, at most so large (413). */
@Injectable()
export class BodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const choice = fileChoiceOf(context);
    if (choice) return asFile(request, choice);
    const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
    if (!hasBody || mediaTypeOf(request) === 'application/json') return true;
    throw otherMediaType('The body is not application/json.', 'Send JSON in UTF-8 with Content-Type: application/json.');
  }
}

/** Judged by its headers alone: nothing of it was read yet. */
function asFile(request: HttpRequest, { mediaTypes, bytes }: FileChoice): true {
  const advice = `Send the file as it is, with Content-Type: ${mediaTypes.join(' or ')}.`;
  if (!mediaTypes.includes(mediaTypeOf(request))) throw otherMediaType('The body is no file of a type that is taken here.', advice);
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(header(request, 'content-type')!)?.[1] ?? 'utf-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset)) throw otherMediaType('The text is not in UTF-8.', 'Send it in UTF-8.');
  if (request.headers['content-encoding'] !== undefined) throw otherMediaType('The body is compressed.', advice);
  if (Number(request.headers['content-length'] ?? 0) > bytes) throw tooLarge(bytes);
  return true;
}

function otherMediaType(message: string, advice: string): FactlineError {
  return new FactlineError({ code: 'request.media-type', kind: 'invalid', message, advice });
}
