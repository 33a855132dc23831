/** Whether a text is a day of the calendar as ISO 8601 writes it, `2027-02-01`: days compare as their texts do. */
export function isDay(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && dayOf(new Date(time)) === text; // 2026-02-30 would be taken for 2 March
}

/** In UTC, wherever it runs. */
export function today(): string {
  return dayOf(new Date());
}

/** @throws RangeError when `day` is none. */
export function daysAfter(day: string, days: number): string {
  const date = new Date(day);
  date.setUTCDate(date.getUTCDate() + days);
  return dayOf(date);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 'YYYY-MM-DD'.length);
}
