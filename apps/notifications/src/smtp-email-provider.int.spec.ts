import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { MailServer } from './mail-server.spec.support.js';
import type { Mail } from './providers.js';
import { SmtpEmailProvider } from './smtp-email-provider.js';

const KEY = '01926c5e-7a00-7000-8000-000000000001';
const mail: Mail = { to: 'ada@example.com', subject: 'Your order o-1 is paid', text: 'Thank you.\n.\n', date: new Date('2026-11-22T14:00:00Z'), idempotencyKey: KEY };
const never = new AbortController().signal;

let server: MailServer;
const provider = (url = server.url, timeoutMs = 5_000) => new SmtpEmailProvider({ url, from: 'shop@example.com', timeoutMs });
const send = (changes: Partial<Mail> = {}, made = provider()) => made.send({ ...mail, ...changes }, never);

beforeEach(async () => {
  server = await MailServer.open();
});
afterEach(() => server.close());

it('a mail that the server takes arrives once, with what makes a repetition of it known', async () => {
  expect(await send()).toEqual({ taken: true, messageId: `<${KEY}@example.com>` });
  expect(server.taken).toHaveLength(1);
  const [{ to, subject, headers, raw }] = server.taken as [MailServer['taken'][number]];
  expect([to, subject]).toEqual(['ada@example.com', mail.subject]);
  expect(headers).toEqual(expect.arrayContaining([['message-id', `<${KEY}@example.com>`], ['idempotency-key', KEY], ['date', 'Sun, 22 Nov 2026 14:00:00 +0000'], ['auto-submitted', 'auto-generated']]));
  await send();
  expect(server.taken[1]!.raw).toBe(raw); // a repetition is the same, byte for byte
});

it('whose acceptance was lost it is the same mail at the next attempt', async () => {
  server.conduct = () => 'cut';
  await expect(send()).rejects.toMatchObject({ code: 'provider.away', retry: true });
  server.conduct = () => 'take';
  expect(await send()).toMatchObject({ taken: true });
  expect(server.taken.map(({ messageId }) => messageId)).toEqual([`<${KEY}@example.com>`, `<${KEY}@example.com>`]);
});

it.each([
  ['550 5.1.1 no such user', '550 5.1.1'],
  ['552 5.2.2 mailbox full', '552 5.2.2'],
  ['550 not here', '550'],
])('a recipient who is refused with %s is an answer', async (recipient, answer) => {
  server.conduct = () => ({ recipient });
  expect(await send()).toEqual({ taken: false, answer });
  expect(server.taken).toEqual([]);
});

it('so is one who is refused after the content', async () => {
  server.conduct = () => ({ content: '550 5.1.1 no such user' });
  expect(await send()).toEqual({ taken: false, answer: '550 5.1.1' });
});

it.each([
  ['a temporary no to the recipient', { recipient: '451 4.7.1 greylisted' }, { code: 'provider.away', kind: 'unavailable' }],
  ['a temporary no to the content', { content: '452 4.3.1 disk full' }, { code: 'provider.away', kind: 'unavailable' }],
  ['a permanent no to the content', { content: '554 5.6.0 broken' }, { code: 'provider.not-understood', kind: 'integrity' }],
  ['a permanent no to relaying, which says nothing of the recipient', { recipient: '550 5.7.1 relaying denied' }, { code: 'provider.not-understood', kind: 'integrity' }],
] as const)('%s is no answer', async (_what, conduct, failure) => {
  server.conduct = () => conduct;
  await expect(send()).rejects.toMatchObject(failure);
});

it('what the server says beside its codes is not repeated: it may name the recipient', async () => {
  server.conduct = () => ({ content: '554 5.6.0 <ada@example.com> does not want it' });
  const failure: unknown = await send().catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: 'The mail server answers what we do not understand: 554 5.6.0 to DATA.' });
  expect(JSON.stringify(failure)).not.toContain('ada@');
});

it('a server that says nothing is given up after the time, and after the time of who asks', async () => {
  server.conduct = () => 'silence';
  await expect(send({}, provider(server.url, 200))).rejects.toMatchObject({ code: 'provider.away' });
  await expect(provider().send(mail, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'provider.away' });
});

it('a server that is not there is waited for', async () => {
  const { url } = server;
  await server.close();
  await expect(send({}, provider(url))).rejects.toMatchObject({ code: 'provider.away', message: expect.stringContaining('ESOCKET') as string });
  server = await MailServer.open();
});

it('a server that does not let us in is a matter of settings, and waited for', async () => {
  await server.close();
  server = await MailServer.open(0, 'right');
  const as = (password: string) => provider(server.url.replace('//', `//shop:${password}@`));
  await expect(send({}, as('wrong'))).rejects.toMatchObject({ code: 'provider.not-let-in', kind: 'configuration', message: expect.stringContaining('535') as string });
  await expect(send()).rejects.toMatchObject({ code: 'provider.not-let-in' });
  expect(await send({}, as('right'))).toMatchObject({ taken: true });
});

it('so is one that speaks something else', async () => {
  const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await once(web.listen(0, '127.0.0.1'), 'listening');
  await expect(send({}, provider(`smtp://127.0.0.1:${(web.address() as AddressInfo).port}`))).rejects.toMatchObject({ code: 'provider.not-let-in' });
  await once(web.close(), 'close');
});

it('what is in a subject or an address stays there: no header, no second recipient', async () => {
  await send({ subject: 'a\r\nBcc: eve@example.com\r\n\r\nmore' });
  expect(server.taken).toHaveLength(1);
  expect(server.taken[0]!.headers.map(([name]) => name)).not.toContain('bcc');
  for (const to of ['ada@example.com>\r\nRCPT TO:<eve@example.com', 'ada@example.com\r\nRCPT TO:<eve@example.com>', 'ada@example.com, eve@example.com']) expect(await send({ to })).toMatchObject({ taken: false });
  expect(server.taken).toHaveLength(1);
});
