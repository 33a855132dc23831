import type { NodemailerError } from 'nodemailer';
import { type Delivery, away, notLetIn, notUnderstood } from './providers.js';

const SERVER = 'The mail server';
/** Nobody answered, or not to the end. */
const SILENCE: ReadonlySet<string> = new Set(['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'ETLS', 'EABORT']);
/** It refused our login, or is no mail server. */
const SETTINGS: ReadonlySet<string> = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ECONFIG', 'EPROTOCOL']);
/** Of RFC 3463: the address, and the mailbox behind it. Anything else, 5.7 foremost, is about who sends or what is sent. */
const OF_RECIPIENT = /^5\.[12]\./;

/**
 * What a failed attempt means. Temporary (4xx) and silent servers are waited for. A permanent no to the recipient is an answer. One to us (login, sender) is our settings;
 * one to the content, or to relaying, is for a person to look at.
 * @throws FactlineError `provider.away`, `provider.not-let-in`, `provider.not-understood`; what is no failure of a mail server, as it is.
 */
export function judged(error: unknown): Delivery {
  const { code = '', responseCode, response = '', command = '' } = error as NodemailerError;
  if (!/^E[A-Z0-9]+$/.test(code)) throw error;
  if (SETTINGS.has(code) && !isTemporary(responseCode)) throw notLetIn(SERVER, `${responseCode ?? code}`);
  if (responseCode === undefined) throw SILENCE.has(code) ? away(SERVER, code) : notUnderstood(SERVER, code);
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  const answer = status === undefined ? `${responseCode}` : `${responseCode} ${status}`;
  if (isTemporary(responseCode)) throw away(SERVER, answer);
  if (responseCode < 500 || responseCode > 599) throw notUnderstood(SERVER, `${answer} to ${command}`);
  if (command !== 'RCPT TO' && command !== 'DATA') throw notLetIn(SERVER, `${answer} to ${command}`);
  if (status === undefined ? command === 'RCPT TO' : OF_RECIPIENT.test(status)) return { taken: false, answer };
  throw notUnderstood(SERVER, `${answer} to ${command}`);
}

/** 503 is said of the connection's state, not of the mail. */
const isTemporary = (responseCode: number | undefined) => responseCode !== undefined && ((responseCode >= 400 && responseCode <= 499) || responseCode === 503);
