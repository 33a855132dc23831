import { type Duration, FactlineError, milliseconds } from 'factline/kernel';
import { SCHEDULE_EVERY_MIN_MS } from './limits.js';

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Day = (typeof DAYS)[number];

/** When: at multiples of a length of time since 1970 (`'1h'`: each full hour UTC); or on days of the week at a time of day, where the people are. */
export type ScheduleRule = { readonly every: Duration } | { readonly weekly: { readonly on: readonly Day[]; /** `'08:30'` */ readonly at: string; /** `'Europe/Berlin'`; default UTC. */ readonly timeZone?: string } };

const aDay = milliseconds('1d');
const aMinute = milliseconds('1m');

/** The first time of the rule behind a moment. A time of day that the clocks skip comes an hour later; one that they repeat comes once, the first. */
export function nextDue(rule: ScheduleRule, after: Date): Date {
  if ('every' in rule) {
    const every = milliseconds(rule.every);
    return new Date((Math.floor(after.getTime() / every) + 1) * every);
  }
  const { on, at, timeZone = 'UTC' } = rule.weekly;
  const [hours, minutes] = at.split(':').map(Number) as [number, number];
  const today = localMs(after.getTime(), timeZone);
  const midnight = today - (((today % aDay) + aDay) % aDay);
  for (let day = -1; ; day++) {
    const local = midnight + day * aDay + (hours * 60 + minutes) * aMinute;
    const due = utcOf(local, timeZone);
    if (due > after.getTime() && on.includes(DAYS[new Date(local).getUTCDay()]!)) return new Date(due);
  }
}

/** The last time of the rule up to a moment, from a time of it. */
export function lastDue(rule: ScheduleRule, from: Date, until: Date): Date {
  if ('every' in rule) return new Date(Math.floor(until.getTime() / milliseconds(rule.every)) * milliseconds(rule.every));
  let last = from;
  for (let next = from; next <= until; next = nextDue(rule, next)) last = next;
  return last;
}

/** @throws FactlineError `command.schedule` (configuration). */
export function checkRule(name: string, rule: ScheduleRule): void {
  if ('every' in rule) {
    if (milliseconds(rule.every) < SCHEDULE_EVERY_MIN_MS) throw badRule(name, `\`every\` is less than ${SCHEDULE_EVERY_MIN_MS} ms`);
    return;
  }
  const { on, at, timeZone = 'UTC' } = rule.weekly;
  if (on.length === 0 || on.some((day) => !DAYS.includes(day))) throw badRule(name, '`on` is not a list of days of the week');
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(at)) throw badRule(name, '`at` is not a time of day');
  try {
    localMs(0, timeZone);
  } catch (cause) {
    throw badRule(name, 'the time zone is not known here', cause);
  }
}

/** What a clock on the wall there shows, as if it were UTC. */
function localMs(utc: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }).formatToParts(utc);
  const of = (type: string) => Number(parts.find((part) => part.type === type)!.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}

/** Of a local time that does not exist: what the offset before the change makes of it, an hour later on the wall. Of one that exists twice: the first. */
function utcOf(local: number, timeZone: string): number {
  const offset = (utc: number) => localMs(utc, timeZone) - utc;
  const before = local - offset(local - aDay);
  const after = local - offset(local + aDay);
  return localMs(before, timeZone) === local || localMs(after, timeZone) !== local ? before : after;
}

function badRule(name: string, fault: string, cause?: unknown): FactlineError {
  return new FactlineError({ code: 'command.schedule', kind: 'configuration', message: `The schedule '${name}' cannot be used: ${fault}.`, advice: "Write { every: '1h' }, or { weekly: { on: ['monday'], at: '08:30', timeZone: 'Europe/Berlin' } }.", cause });
}
