import { createTransport } from 'nodemailer';
import { type Delivery, EmailProvider, type Mail } from './providers.js';
import { judged } from './smtp-answers.js';

export interface SmtpOptions {
  /** smtp://user:password@host:587; over TLS where the server offers it, from the start with smtps://. */
  readonly url: string;
  readonly from: string;
  readonly timeoutMs: number;
}

/**
 * Mails over SMTP, a connection each. SMTP knows no repetition, so it is made recognisable: a mail is the same at each attempt, Message-ID, Idempotency-Key and Date included.
 * Not promised: that the server drops a repetition.
 */
export class SmtpEmailProvider extends EmailProvider {
  readonly #transport;
  readonly #domain: string;

  constructor(private readonly options: SmtpOptions) {
    super();
    this.#transport = createTransport({ url: options.url });
    this.#domain = options.from.slice(options.from.lastIndexOf('@') + 1);
  }

  async send({ to, subject, text, date, idempotencyKey }: Mail, signal: AbortSignal): Promise<Delivery> {
    const messageId = `<${idempotencyKey}@${this.#domain}>`;
    try {
      const { serverMessageId = messageId } = await this.#transport.sendMail({
        from: this.options.from,
        to: { name: '', address: to },
        subject,
        text,
        date,
        messageId,
        headers: { 'Idempotency-Key': idempotencyKey, 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
      });
      return { taken: true, messageId: serverMessageId };
    } catch (error) {
      return judged(error);
    }
  }
}
