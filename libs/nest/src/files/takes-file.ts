import { type ExecutionContext, SetMetadata, applyDecorators, createParamDecorator } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import type { HttpRequest, HttpResponse } from '../http/exchange.js';
import { type FileChoice, TAKES_FILE, fileChoiceOf } from './choice.js';
import { type ReceivedFile, receive } from './receive.js';

/**
 * A route whose body is one file as it is, without a form around it; `@FileBody()` gives it to the method. Another Content-Type is answered 415, a file that is too large 413.
 * All other routes keep taking JSON alone, and their own limit.
 */
export function TakesFile(choice: FileChoice): MethodDecorator {
  return applyDecorators(SetMetadata(TAKES_FILE, choice), ApiConsumes(...choice.mediaTypes), ApiBody({ required: true, schema: { type: 'string', format: 'binary', maxLength: choice.bytes } }));
}

/**
 * The file of a `@TakesFile` route, read when guards have let the request in. A repeated request with the same Idempotency-Key must bring the same bytes and type.
 * @throws FactlineError `request.too-large`; `request.files` (unavailable, with `retryAfterMs`) when 16 are in the hands of this process; `request.cut-off`.
 */
export const FileBody = createParamDecorator((_data: unknown, context: ExecutionContext): Promise<ReceivedFile> => {
  const http = context.switchToHttp();
  return receive(http.getRequest<HttpRequest>(), http.getResponse<HttpResponse>(), fileChoiceOf(context)!);
});
