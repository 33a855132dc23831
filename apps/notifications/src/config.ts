import { type Setting, loadConfig, setting } from 'factline/nest';
import { PROVIDER_TIMEOUT, SHUTDOWN_DEADLINE } from './limits.js';

const smtpUrl = (name: string, fallback: string): Setting<string> => ({
  name,
  expects: 'an address beginning with smtp:// or smtps://',
  fallback,
  read: (text) => (URL.canParse(text) && ['smtp:', 'smtps:'].includes(new URL(text).protocol) ? text : undefined),
});

const address = (name: string, fallback: string): Setting<string> => ({ name, expects: 'an email address', fallback, read: (text) => (/^[^\s@<>"]+@[A-Za-z0-9.-]+$/.test(text) ? text : undefined) });

/** The defaults of the providers are those of a mail catcher on the machine of whoever develops: 1025 is where they listen. */
const schema = {
  ...setting.service({ port: 3009 }),
  shutdownDeadlineMs: setting.duration('SHUTDOWN_DEADLINE', SHUTDOWN_DEADLINE),
  databaseUrl: setting.databaseUrl('NOTIFICATIONS_DATABASE_URL'),
  brokers: setting.brokers('FACTLINE_KAFKA'),
  registryUrl: setting.httpUrl('FACTLINE_REGISTRY_URL'),
  smtpUrl: smtpUrl('NOTIFICATIONS_SMTP_URL', 'smtp://127.0.0.1:1025'),
  emailFrom: address('NOTIFICATIONS_EMAIL_FROM', 'shop@example.com'),
  emailsPerSecond: setting.whole('NOTIFICATIONS_EMAILS_PER_SECOND', { min: 1, max: 10_000, fallback: 20 }),
  smsUrl: { ...setting.httpUrl('NOTIFICATIONS_SMS_URL'), fallback: 'http://127.0.0.1:8026/messages' },
  smsToken: setting.secret('NOTIFICATIONS_SMS_TOKEN', ''),
  smsPerSecond: setting.whole('NOTIFICATIONS_SMS_PER_SECOND', { min: 1, max: 10_000, fallback: 5 }),
  providerTimeoutMs: setting.duration('NOTIFICATIONS_PROVIDER_TIMEOUT', PROVIDER_TIMEOUT),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env) => loadConfig(schema, env);

export type NotificationsConfig = ReturnType<typeof readConfig>;
