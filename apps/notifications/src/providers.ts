import { FactlineError } from 'factline/kernel';

/** What a provider made of a message: it took it, under an id; or it refuses this recipient for good, with these codes. */
export type Delivery = { readonly taken: true; readonly messageId: string } | { readonly taken: false; readonly answer: string };

interface Message {
  readonly to: string;
  readonly text: string;
  /** The same at each attempt at the same message, so that the provider knows a repetition from a second message. */
  readonly idempotencyKey: string;
}

export type TextMessage = Message;

export interface Mail extends Message {
  readonly subject: string;
  /** Of the first attempt, and so of all. */
  readonly date: Date;
}

/** Hands one message to whoever delivers it. @throws FactlineError what is below: who calls must know whether to try again. */
interface Provider<Sent extends Message> {
  send(message: Sent, signal: AbortSignal): Promise<Delivery>;
}

/** Nest injects by class. */
export abstract class EmailProvider implements Provider<Mail> {
  abstract send(mail: Mail, signal: AbortSignal): Promise<Delivery>;
}

export abstract class SmsProvider implements Provider<TextMessage> {
  abstract send(message: TextMessage, signal: AbortSignal): Promise<Delivery>;
}

/** It does not answer, or asks us to come again: this says nothing about the message, which may have been taken. Tried for as long as it takes. */
export function away(provider: string, what: string, retryAfterMs?: number): FactlineError {
  return new FactlineError({
    code: 'provider.away',
    kind: 'unavailable',
    message: `${provider} does not take messages now: ${what}.`,
    advice: 'It is tried again by itself, under the same key.',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** It does not let us in: the same for every message, and none of them is at fault. Tried until the settings are corrected. */
export function notLetIn(provider: string, answer: string): FactlineError {
  return new FactlineError({ code: 'provider.not-let-in', kind: 'configuration', message: `${provider} does not let us in: ${answer}.`, advice: 'Correct its address, sender, user or token; then it goes on by itself.' });
}

/** An answer that this software cannot act on: a dead letter, because only a person can. Of the answer codes are told alone, for its text may name the recipient. */
export function notUnderstood(provider: string, answer: string): FactlineError {
  return new FactlineError({
    code: 'provider.not-understood',
    kind: 'integrity',
    message: `${provider} answers what we do not understand: ${answer}.`,
    advice: 'Ask the provider what it means. Requeue it when it is mended: it is sent under the same key.',
  });
}
