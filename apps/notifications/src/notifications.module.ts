import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import { JobsController, provideCommands } from 'factline/nest/commands';
import type { NotificationsConfig } from './config.js';
import { ContactsController } from './contacts.controller.js';
import { ContactsRepository, contactMigrations } from './contacts.repository.js';
import { EmailSent, NotificationFailed, SendEmail, SendSms, SmsSent } from './contracts.generated.js';
import { HttpSmsProvider } from './http-sms-provider.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsRepository, notificationMigrations } from './notifications.repository.js';
import { NotificationsService } from './notifications.service.js';
import { OrderMailsReactions } from './order-mails.reactions.js';
import { EmailProvider, SmsProvider } from './providers.js';
import { SeatMessagesReactions } from './seat-messages.reactions.js';
import { Sending, emailQueue, smsQueue } from './sending.js';
import { SmtpEmailProvider } from './smtp-email-provider.js';

/** Tells customers what happened, by mail and by text message: once, or it says why not. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: NotificationsConfig) => ({
        app: 'notifications',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [EmailSent, SmsSent, NotificationFailed, SendEmail, SendSms],
        migrations: [...contactMigrations, ...notificationMigrations],
      }),
    }),
  ],
  controllers: [ContactsController, NotificationsController, OrderMailsReactions, SeatMessagesReactions, JobsController],
  providers: [
    ContactsRepository,
    NotificationsRepository,
    NotificationsService,
    { provide: EmailProvider, inject: [SERVICE_CONFIG], useFactory: ({ smtpUrl: url, emailFrom: from, providerTimeoutMs: timeoutMs }: NotificationsConfig) => new SmtpEmailProvider({ url, from, timeoutMs }) },
    { provide: SmsProvider, inject: [SERVICE_CONFIG], useFactory: ({ smsUrl: url, smsToken: token, providerTimeoutMs: timeoutMs }: NotificationsConfig) => new HttpSmsProvider({ url, token, timeoutMs }) },
    Sending,
    provideCommands({ queue: 'notifications.email', inject: [SERVICE_CONFIG, Sending], useFactory: emailQueue }),
    provideCommands({ queue: 'notifications.sms', inject: [SERVICE_CONFIG, Sending], useFactory: smsQueue }),
  ],
})
export class NotificationsModule {}
