import { createHash } from 'node:crypto';
import { FactlineError } from 'factline/kernel';
import type { HttpRequest, HttpResponse } from '../http/exchange.js';
import { mediaTypeOf } from '../http/media-type.js';
import { FILES_IN_HAND, RETRY_AFTER_MS } from '../limits.js';
import type { FileChoice } from './choice.js';

/** A file that came as the body of a request. */
export interface ReceivedFile {
  readonly content: Buffer;
  /** As the client says it is, in lower case and without parameters; nobody has looked. */
  readonly mediaType: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

let inHand = 0;

/** Reads the body, and counts the file until it is answered: so long it may be in memory. */
export async function receive(request: HttpRequest, response: HttpResponse, { bytes }: FileChoice): Promise<ReceivedFile> {
  if (response.destroyed) throw cutOff(); // it closes once
  if (inHand >= FILES_IN_HAND) throw crowded();
  inHand++;
  response.once('close', () => inHand--);
  const content = await contentOf(request, bytes);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const mediaType = mediaTypeOf(request);
  request.body = { mediaType, sha256 }; // what was asked, should it be asked again
  return { content, mediaType, sha256 };
}

/** Not by `for await`: leaving that early closes the connection, and the client never hears why. */
function contentOf(request: HttpRequest, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (settle: () => void) => {
      request.off('data', take).off('end', whole).off('close', cut).off('error', cut);
      settle();
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytes) chunks.push(chunk);
      else end(() => reject(tooLarge(bytes)));
    };
    const whole = () => end(() => resolve(Buffer.concat(chunks, length)));
    const cut = () => end(() => reject(cutOff()));
    request.on('data', take).once('end', whole).once('close', cut).once('error', cut);
  });
}

export function tooLarge(bytes: number): FactlineError {
  return new FactlineError({ code: 'request.too-large', kind: 'invalid', message: `The file is larger than ${bytes} bytes.`, advice: 'Send a smaller one.' });
}

function cutOff(): FactlineError {
  return new FactlineError({ code: 'request.cut-off', kind: 'invalid', message: 'The request ended before its body did.', advice: 'Send it again.' });
}

function crowded(): FactlineError {
  return new FactlineError({ code: 'request.files', kind: 'unavailable', message: `${FILES_IN_HAND} files are being taken in already.`, advice: 'Send it again after the time in Retry-After.', retryAfterMs: RETRY_AFTER_MS });
}
