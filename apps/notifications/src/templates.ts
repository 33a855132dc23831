import { FactlineError } from 'factline/kernel';
import type { SendEmailSelection } from './contracts.generated.js';
import { VALUE_CHARACTERS } from './limits.js';

export type Template = SendEmailSelection['template'];
export type Values = SendEmailSelection['values'];

/** The mail that says it. @throws FactlineError `notification.template` (invalid): a dead letter, to be requeued when the software knows it. */
export function mailOf(template: Template, values: Values): { subject: string; text: string } {
  if (template !== 'ORDER_PAID') throw notKnown(template, 'a mail');
  const [order, total] = [valueOf(values, 'orderId', template), valueOf(values, 'total', template)];
  return {
    subject: `Your order ${order} is paid`,
    text: ['Thank you.', '', `We have received ${total} for your order ${order}, and prepare it now.`, ''].join('\n'),
  };
}

/** The text message that says it. @throws as `mailOf`. */
export function smsOf(template: Template, values: Values): string {
  if (template !== 'SEAT_HELD') throw notKnown(template, 'a text message');
  return `Your seat ${valueOf(values, 'seatId', template)} is held until ${valueOf(values, 'until', template)}.`;
}

/** 25.00 EUR; cents are hundredths of any currency here. */
export const amountOf = (cents: number, currency: string): string => `${(cents / 100).toFixed(2)} ${currency}`;

/** 2026-11-22 14:05 UTC: nobody here knows where the customer is. */
export const minuteOf = (micros: number): string => `${new Date(micros / 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** One line of text whatever it was: ids come from elsewhere, and a line break in one would be another header, or a text that we did not write. */
function valueOf(values: Values, name: string, template: Template): string {
  const value = Object.hasOwn(values, name) ? values[name]! : undefined;
  if (value === undefined) throw badTemplate(`${template} needs a value '${name}', and the command has none.`);
  return Array.from(value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()).slice(0, VALUE_CHARACTERS).join('');
}

const notKnown = (template: Template, what: string) => badTemplate(`There is no template that makes ${what} of ${template}.`);

function badTemplate(message: string): FactlineError {
  return new FactlineError({ code: 'notification.template', kind: 'invalid', message, advice: 'Deploy what knows the template, then requeue; or give it up and have the sender corrected.' });
}
