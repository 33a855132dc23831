import { messageOf } from 'factline/kernel';
import { ANSWER_BYTES, MESSAGE_ID_CHARACTERS, RETRY_AFTER_MAX_MS } from './limits.js';
import { type Delivery, SmsProvider, type TextMessage, away, notLetIn, notUnderstood } from './providers.js';

export interface SmsOptions {
  readonly url: string;
  /** Empty: the provider asks for none. */
  readonly token: string;
  readonly timeoutMs: number;
}

const PROVIDER = 'The SMS provider';
/** It passes: too slow, the same key is under way, too early, too many. */
const PASSES: ReadonlySet<number> = new Set([408, 409, 425, 429]);
const UNAUTHORIZED: ReadonlySet<number> = new Set([401, 403]);
/** The one answer that is about the number: it cannot be reached. */
const NUMBER_REFUSED = 422;

/** Text messages over HTTP: POST { to, text } with an Idempotency-Key, answered { id }. Another provider is another class of this size. */
export class HttpSmsProvider extends SmsProvider {
  constructor(private readonly options: SmsOptions) {
    super();
  }

  async send({ to, text, idempotencyKey }: TextMessage, signal: AbortSignal): Promise<Delivery> {
    const { status, headers, body } = await this.#post({ to, text }, idempotencyKey, signal);
    if (status >= 200 && status <= 299) return { taken: true, messageId: idIn(body, status) };
    if (status === NUMBER_REFUSED) return { taken: false, answer: `${status}` };
    if (status >= 500 || PASSES.has(status)) throw away(PROVIDER, `${status}`, retryAfterOf(headers));
    if (UNAUTHORIZED.has(status)) throw notLetIn(PROVIDER, `${status}`);
    throw notUnderstood(PROVIDER, `${status}`);
  }

  /** A redirect is an answer like others: number and token go nowhere else. */
  async #post(message: object, idempotencyKey: string, signal: AbortSignal): Promise<{ status: number; headers: Headers; body: string }> {
    const { url, token, timeoutMs } = this.options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey, ...(token !== '' && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify(message),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      return { status: response.status, headers: response.headers, body: await beginningOf(response) };
    } catch (error) {
      throw away(PROVIDER, messageOf(error));
    }
  }
}

/** The rest is not read: an answer that long is none. */
async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk as Uint8Array);
    if ((bytes += (chunk as Uint8Array).length) > ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** It was taken, and nobody knows as what: asked again under the same key, a provider that is mended says it. */
function idIn(body: string, status: number): string {
  try {
    const { id } = JSON.parse(body) as { id?: unknown };
    if (typeof id === 'string' && id !== '' && id.length <= MESSAGE_ID_CHARACTERS && !/\p{C}/u.test(id)) return id;
  } catch {
    throw notUnderstood(PROVIDER, `${status} without JSON`);
  }
  throw notUnderstood(PROVIDER, `${status} without an id`);
}

function retryAfterOf(headers: Headers): number | undefined {
  const seconds = /^\d{1,9}$/.exec(headers.get('retry-after') ?? '')?.[0];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, RETRY_AFTER_MAX_MS);
}
