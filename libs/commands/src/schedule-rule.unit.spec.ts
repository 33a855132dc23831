import { type ScheduleRule, checkRule, lastDue, nextDue } from './schedule-rule.js';

const berlin = (at: string, ...on: ('sunday' | 'monday' | 'friday')[]): ScheduleRule => ({ weekly: { on, at, timeZone: 'Europe/Berlin' } });
const next = (rule: ScheduleRule, after: string) => nextDue(rule, new Date(after)).toISOString();

it('a length of time is due at its multiples, so that every process means the same times', () => {
  expect(next({ every: '1h' }, '2026-03-01T10:20:30Z')).toBe('2026-03-01T11:00:00.000Z');
  expect(next({ every: '1h' }, '2026-03-01T11:00:00Z')).toBe('2026-03-01T12:00:00.000Z');
});

it('a time of day is where the people are, in summer and in winter', () => {
  expect(next(berlin('08:30', 'monday'), '2026-01-05T07:29:59Z')).toBe('2026-01-05T07:30:00.000Z');
  expect(next(berlin('08:30', 'monday'), '2026-01-05T07:30:00Z')).toBe('2026-01-12T07:30:00.000Z');
  expect(next(berlin('08:30', 'monday', 'friday'), '2026-07-06T07:00:00Z')).toBe('2026-07-10T06:30:00.000Z');
  expect(next({ weekly: { on: ['monday'], at: '00:15', timeZone: 'Pacific/Auckland' } }, '2026-01-04T10:00:00Z')).toBe('2026-01-04T11:15:00.000Z');
  expect(next({ weekly: { on: ['monday'], at: '08:30' } }, '2026-01-05T00:00:00Z')).toBe('2026-01-05T08:30:00.000Z');
});

it('a time that the clocks skip comes an hour later, and one that they repeat comes once', () => {
  const sunday = berlin('02:30', 'sunday');
  expect(next(sunday, '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z'); // 02:30 is not; the clock shows 03:30
  expect(next(sunday, '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z'); // 02:30 for the first time
  expect(next(sunday, '2026-10-25T00:30:00Z')).toBe('2026-11-01T01:30:00.000Z');
});

it('each time follows from the one before, without end or repetition', () => {
  let due = new Date('2026-01-01T00:00:00Z');
  const seen = Array.from({ length: 120 }, () => (due = nextDue(berlin('02:30', 'sunday', 'friday'), due)).toISOString());
  expect(new Set(seen).size).toBe(120);
  expect(seen).toEqual(seen.toSorted());
});

it('of the times that passed the last one is found', () => {
  const from = new Date('2026-01-05T07:30:00Z');
  expect(lastDue(berlin('08:30', 'monday'), from, new Date('2026-02-01T00:00:00Z')).toISOString()).toBe('2026-01-26T07:30:00.000Z');
  expect(lastDue(berlin('08:30', 'monday'), from, from)).toEqual(from);
  expect(lastDue({ every: '1m' }, from, new Date('2026-06-01T00:00:30Z')).toISOString()).toBe('2026-06-01T00:00:00.000Z');
});

it('a rule that means nothing is refused with what is wrong', () => {
  const wrong = (rule: ScheduleRule) => expect(() => checkRule('spec', rule)).toThrow(expect.objectContaining({ code: 'command.schedule' }));
  wrong({ every: '10ms' });
  wrong(berlin('24:00', 'monday'));
  wrong(berlin('08:30'));
  wrong({ weekly: { on: ['monday'], at: '08:30', timeZone: 'Europe/Atlantis' } });
  checkRule('spec', berlin('23:59', 'monday'));
});
