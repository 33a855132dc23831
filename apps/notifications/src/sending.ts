import { Injectable } from '@nestjs/common';
import { type CommandQueue, type CommandRun, type ReceivedCommand, commandQueue } from 'factline/commands';
import { systemClock } from 'factline/kernel';
import type { Tx } from 'factline/store';
import type { NotificationsConfig } from './config.js';
import { type SendEmailSelection, SendEmailSelected, type SendSmsSelection, SendSmsSelected } from './contracts.generated.js';
import { ATTEMPTS, CONCURRENCY, HANDLER_TIMEOUT } from './limits.js';
import { type Channel, NotificationsService, type Outcome } from './notifications.service.js';
import { type Delivery, EmailProvider, SmsProvider } from './providers.js';
import { mailOf, smsOf } from './templates.js';

type Asked = ReceivedCommand<SendEmailSelection | SendSmsSelection>;

/**
 * Sends what was asked for. The provider is called inside the transaction that states EmailSent or SmsSent: whatever happens in between, the fact is stated once, and the call
 * is repeated under the same key, the id of the job, until it is.
 */
@Injectable()
export class Sending {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly emails: EmailProvider,
    private readonly texts: SmsProvider,
  ) {}

  email(command: Asked, tx: Tx, run: CommandRun): Promise<Outcome> {
    const { data, meta } = command;
    const date = new Date(meta.occurredAt / 1_000);
    return this.#send('EMAIL', command, tx, run, (to) => this.emails.send({ to, ...mailOf(data.template, data.values), date, idempotencyKey: run.job }, run.signal));
  }

  sms(command: Asked, tx: Tx, run: CommandRun): Promise<Outcome> {
    const { data } = command;
    return this.#send('SMS', command, tx, run, (to) => this.texts.send({ to, text: smsOf(data.template, data.values), idempotencyKey: run.job }, run.signal));
  }

  /** A refusal of the recipient ends the job with that as its result: the customer's later notifications go on. What is thrown here holds them up. */
  async #send(channel: Channel, { key: customerId, data, meta }: Asked, tx: Tx, { job }: CommandRun, deliver: (to: string) => Promise<Delivery>): Promise<Outcome> {
    const notification = { id: job, customerId, channel, template: data.template, causeId: meta.causationId };
    if (systemClock.now() * 1_000 >= data.notAfter) return this.notifications.failed(tx, notification, { reason: 'TOO_LATE' });
    const to = await this.notifications.addressOf(tx, customerId, channel);
    if (to === null) return this.notifications.failed(tx, notification, { reason: 'NO_CONTACT' });
    const delivery = await deliver(to);
    if (delivery.taken) return this.notifications.sent(tx, notification, delivery.messageId);
    return this.notifications.failed(tx, notification, { reason: 'REFUSED', answer: delivery.answer });
  }
}

/** Of all processes together: what the provider allows us is a setting, so the queues are made with it. */
const handling = (perSecond: number) => ({ concurrency: CONCURRENCY, timeout: HANDLER_TIMEOUT, retry: { attempts: ATTEMPTS }, rate: { count: perSecond, per: '1s' } }) as const;

export const emailQueue = ({ emailsPerSecond }: NotificationsConfig, sending: Sending): CommandQueue =>
  commandQueue({ queue: 'notifications.email', ...handling(emailsPerSecond) }).on(SendEmailSelected, (command, tx, run) => sending.email(command, tx, run));

export const smsQueue = ({ smsPerSecond }: NotificationsConfig, sending: Sending): CommandQueue =>
  commandQueue({ queue: 'notifications.sms', ...handling(smsPerSecond) }).on(SendSmsSelected, (command, tx, run) => sending.sms(command, tx, run));
