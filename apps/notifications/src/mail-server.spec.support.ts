import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

/** A mail as it arrived; one that arrived twice is here twice. */
export interface TakenMail {
  readonly to: string;
  /** Each header as it was sent, unfolded, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly messageId: string;
  readonly subject: string;
  readonly raw: string;
  /** When, by the clock of this process. */
  readonly atMs: number;
}

/** What the server does with a mail: takes it; takes it and cuts the connection, or goes silent, instead of saying so; goes silent without taking it; says something to the recipient, or to the content. */
export type MailConduct = 'take' | 'cut' | 'hold' | 'silence' | { readonly recipient: string } | { readonly content: string };

/** A real SMTP server on this machine that records what it took. */
export class MailServer {
  readonly taken: TakenMail[] = [];
  /** Asked for each mail. */
  conduct: (to: string) => MailConduct = () => 'take';
  readonly #sockets = new Map<number, Socket>();
  /** Decided when the recipient is named; who sends uses a connection for each mail. */
  readonly #conducts = new Map<string, MailConduct>();

  private constructor(private readonly server: SMTPServer) {}

  /** @param port 0: any that is free. @param password when given, who sends has to log in as `shop`. */
  static async open(port = 0, password?: string): Promise<MailServer> {
    const made: MailServer = new MailServer(
      new SMTPServer({
        disabledCommands: ['STARTTLS'],
        authOptional: password === undefined,
        allowInsecureAuth: true,
        disableReverseLookup: true,
        closeTimeout: 1,
        onAuth: (auth, _session, done) => (auth.password === password ? done(null, { user: auth.username }) : done(replied('535 5.7.8 no'))),
        onRcptTo: ({ address }, session, done) => {
          const conduct = made.conduct(address);
          made.#conducts.set(session.id, conduct);
          done(typeof conduct === 'object' && 'recipient' in conduct ? replied(conduct.recipient) : null);
        },
        onData: (stream, session, done) => {
          const { address } = session.envelope.rcptTo[0]!;
          const cut = () => made.#sockets.get(session.remotePort)?.destroy();
          void textOf(stream).then((raw) => made.#take(address, raw, { conduct: made.#conducts.get(session.id)!, cut, done }), done);
        },
        onClose: ({ id }) => void made.#conducts.delete(id),
      }),
    );
    made.server.server.on('connection', (socket) => {
      const { remotePort } = socket;
      made.#sockets.set(remotePort!, socket);
      socket.once('close', () => made.#sockets.delete(remotePort!));
    });
    made.server.on('error', () => undefined); // connections that end without a goodbye
    await once(made.server.listen(port, '127.0.0.1'), 'listening');
    return made;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  to(address: string): TakenMail[] {
    return this.taken.filter(({ to }) => to === address);
  }

  /** As a machine that is switched off: open connections end. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  #take(to: string, raw: string, { conduct, cut, done }: { conduct: MailConduct; cut: () => void; done: (error: Error | null) => void }): void {
    if (conduct === 'silence') return;
    if (typeof conduct === 'object' && 'content' in conduct) return done(replied(conduct.content));
    this.taken.push(mail(to, raw));
    if (conduct === 'cut') cut();
    if (conduct === 'take') done(null);
  }
}

async function textOf(stream: SMTPServerDataStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function mail(to: string, raw: string): TakenMail {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n(?=[ \t])/g, '');
  const headers = head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const);
  const of = (name: string) => headers.find(([known]) => known === name)?.[1] ?? '';
  return { to, headers, messageId: of('message-id'), subject: of('subject'), raw, atMs: performance.now() };
}

/** `550 5.1.1 nobody` as the error that makes the server say it. */
function replied(line: string): Error {
  return Object.assign(new Error(line.slice(4)), { responseCode: Number(line.slice(0, 3)) });
}
