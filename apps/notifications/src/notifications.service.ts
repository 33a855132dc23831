import { Injectable } from '@nestjs/common';
import { Commands } from 'factline/commands';
import { formatId, newId } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import type { Tx } from 'factline/store';
import { ContactsRepository } from './contacts.repository.js';
import { EmailSent, NotificationFailed, type NotificationFailedData, SendEmail, SendSms, SmsSent } from './contracts.generated.js';
import { type Notification, NotificationsRepository } from './notifications.repository.js';
import type { Template, Values } from './templates.js';

export type Channel = Notification['channel'];

/** Somebody is to be told something because of a fact. */
export interface Notice {
  readonly channel: Channel;
  readonly customerId: string;
  readonly template: Template;
  readonly values: Values;
  /** Microseconds since 1970. */
  readonly notAfter: number;
}

/** What a job says of its end. */
export type Outcome = { readonly sent: string } | { readonly failed: NotificationFailedData['reason'] };

interface Failure {
  readonly reason: Exclude<NotificationFailedData['reason'], undefined>;
  readonly answer?: string;
}

const COMMAND = { EMAIL: SendEmail, SMS: SendSms } as const;
const SENT = { EMAIL: EmailSent, SMS: SmsSent } as const;

/** The life of a notification: asked for by a command, ended by a fact; its row follows in the same transactions. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly contacts: ContactsRepository,
    private readonly commands: Commands,
    private readonly outbox: FactOutbox,
  ) {}

  /** Sends the command, in the transaction of the fact that causes it, under the fact's id: a fact that is told twice asks once. Who cannot be reached is not told, which is a fact. */
  async ask(tx: Tx, causeId: string, { channel, customerId, template, values, notAfter }: Notice): Promise<void> {
    const notification = (id: string): Notification => ({ id, customerId, channel, template, causeId });
    if (!(await this.addressOf(tx, customerId, channel))) return void (await this.failed(tx, notification(formatId(newId())), { reason: 'NO_CONTACT' }));
    const { job, repeated } = await this.commands.send(tx, COMMAND[channel](customerId, { template, values, notAfter }), { idempotencyKey: causeId });
    if (!repeated) await this.notifications.asked(tx, notification(job));
  }

  async addressOf(tx: Tx, customerId: string, channel: Channel): Promise<string | null> {
    const contact = await this.contacts.find(customerId, tx);
    return (channel === 'EMAIL' ? contact?.email : contact?.phone) ?? null;
  }

  async sent(tx: Tx, notification: Notification, messageId: string): Promise<Outcome> {
    const { id, customerId, channel, template, causeId } = notification;
    await this.notifications.ended(tx, notification, { state: 'SENT', messageId });
    await this.outbox.add(tx, SENT[channel](id, { customerId, template, causeId, messageId }));
    return { sent: messageId };
  }

  async failed(tx: Tx, notification: Notification, { reason, answer }: Failure): Promise<Outcome> {
    const { id, customerId, channel, template, causeId } = notification;
    await this.notifications.ended(tx, notification, { state: 'FAILED', reason });
    await this.outbox.add(tx, NotificationFailed(id, { customerId, template, causeId, channel, reason, answer: answer ?? null }));
    return { failed: reason };
  }
}
