import { HttpSmsProvider } from './http-sms-provider.js';
import { SmsServer, type TextConduct } from './sms-server.spec.support.js';

const message = { to: '+4930123456', text: 'Your seat is held.', idempotencyKey: 'job-1' };
const never = new AbortController().signal;

let server: SmsServer;
const send = (token = '', timeoutMs = 5_000, signal: AbortSignal = never) => new HttpSmsProvider({ url: server.url, token, timeoutMs }).send(message, signal);

beforeEach(async () => {
  server = await SmsServer.open();
});
afterEach(() => server.close());

it('a message that the provider takes arrives once, with its key', async () => {
  expect(await send('a-secret-of-16-characters')).toEqual({ taken: true, messageId: 'sms-job-1' });
  expect(server.taken).toEqual([{ ...message, authorization: 'Bearer a-secret-of-16-characters' }]);
});

it('whose acceptance was lost it goes under the same key at the next attempt', async () => {
  server.conduct = () => 'cut';
  await expect(send()).rejects.toMatchObject({ code: 'provider.away', retry: true });
  server.conduct = () => 'take';
  expect(await send()).toMatchObject({ messageId: 'sms-job-1' });
  expect(server.taken.map(({ idempotencyKey, authorization }) => [idempotencyKey, authorization])).toEqual([['job-1', undefined], ['job-1', undefined]]);
});

it('a number that is refused is an answer', async () => {
  server.conduct = () => ({ status: 422, body: '{"error":"+4930123456 is a landline"}' });
  expect(await send()).toEqual({ taken: false, answer: '422' });
});

it.each<[string, TextConduct, object]>([
  ['an error of the provider', { status: 500 }, { code: 'provider.away', kind: 'unavailable' }],
  ['too many, with the time to wait', { status: 429, headers: { 'retry-after': '7' } }, { code: 'provider.away', retryAfterMs: 7_000 }],
  ['a wait that is longer than anybody waits', { status: 503, headers: { 'retry-after': '999999' } }, { code: 'provider.away', retryAfterMs: 60_000 }],
  ['a wait that is no number', { status: 503, headers: { 'retry-after': 'soon' } }, { code: 'provider.away', retryAfterMs: undefined }],
  ['a token that is refused', { status: 401 }, { code: 'provider.not-let-in', kind: 'configuration' }],
  ['another refusal', { status: 400 }, { code: 'provider.not-understood', kind: 'integrity' }],
  ['a redirect, which is not followed', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, { code: 'provider.not-understood' }],
  ['a yes that is no JSON', { status: 200, body: 'ok' }, { code: 'provider.not-understood' }],
  ['a yes without an id', { status: 200, body: '{"id":7}' }, { code: 'provider.not-understood' }],
  ['a yes that has nothing', { status: 204 }, { code: 'provider.not-understood' }],
  ['a yes that never ends', { status: 200, body: `{"id":"${'x'.repeat(100_000)}"}` }, { code: 'provider.not-understood' }],
])('%s is no answer', async (_what, conduct, failure) => {
  server.conduct = () => conduct;
  await expect(send()).rejects.toMatchObject(failure);
  expect(server.taken).toEqual([]);
});

it('a provider that says nothing is given up after the time, and after the time of who asks', async () => {
  server.conduct = () => 'silence';
  await expect(send('', 200)).rejects.toMatchObject({ code: 'provider.away' });
  await expect(send('', 5_000, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'provider.away' });
});

it('what the provider says beside its status is not repeated: it may name the number', async () => {
  server.conduct = () => ({ status: 400, body: '+4930123456 is unknown' });
  const failure: unknown = await send().catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: 'The SMS provider answers what we do not understand: 400.' });
});
