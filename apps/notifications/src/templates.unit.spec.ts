import { amountOf, mailOf, minuteOf, smsOf } from './templates.js';

const paid = { orderId: 'o-1', total: '25.00 EUR' };
const held = { seatId: 'opera/A-7', until: '2026-11-22 14:05 UTC' };

it('a paid order is a mail with its id and what was paid', () => {
  expect(mailOf('ORDER_PAID', paid)).toEqual({ subject: 'Your order o-1 is paid', text: 'Thank you.\n\nWe have received 25.00 EUR for your order o-1, and prepare it now.\n' });
});

it('a held seat is a text message with its end', () => {
  expect(smsOf('SEAT_HELD', held)).toBe('Your seat opera/A-7 is held until 2026-11-22 14:05 UTC.');
});

it.each([
  ['CR and LF', 'o-1\r\nBcc: everybody@example.com', 'Your order o-1 Bcc: everybody@example.com is paid'],
  ['a line break alone', 'o\n1', 'Your order o 1 is paid'],
  ['line and paragraph separators', 'o\u20281\u20292', 'Your order o 1 2 is paid'],
  ['NUL and escape', 'o\0\u001b[2J1', 'Your order o [2J1 is paid'],
  ['half of a surrogate pair', 'o\ud8001', 'Your order o 1 is paid'],
  ['what turns the direction of writing', 'o\u202e1', 'Your order o 1 is paid'],
])('an id with %s is one line, in the subject and in the text', (_what, orderId, subject) => {
  const mail = mailOf('ORDER_PAID', { ...paid, orderId });
  expect(mail.subject).toBe(subject);
  expect(mail.text.split('\n')).toHaveLength(4);
});

it('a long id is cut between characters', () => {
  expect(mailOf('ORDER_PAID', { ...paid, orderId: '💣'.repeat(200) }).subject).toBe(`Your order ${'💣'.repeat(100)} is paid`);
});

it('what it does not know, and what lacks a value, is a failure that a person looks at', () => {
  const failure = expect.objectContaining({ code: 'notification.template', kind: 'invalid' }) as Error;
  expect(() => mailOf('UNKNOWN', paid)).toThrow(failure);
  expect(() => mailOf('SEAT_HELD', held)).toThrow(failure);
  expect(() => smsOf('ORDER_PAID', paid)).toThrow(failure);
  expect(() => mailOf('ORDER_PAID', { orderId: 'o-1' })).toThrow("needs a value 'total'");
  expect(() => smsOf('SEAT_HELD', JSON.parse('{"seatId":"s","__proto__":"x"}') as typeof held)).toThrow("needs a value 'until'");
});

it('amounts and times are written for people', () => {
  expect([amountOf(2_500, 'EUR'), amountOf(5, 'USD'), amountOf(0, 'EUR')]).toEqual(['25.00 EUR', '0.05 USD', '0.00 EUR']);
  expect(minuteOf(1_700_000_000_000_000)).toBe('2023-11-14 22:13 UTC');
});
