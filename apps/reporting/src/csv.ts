type Cell = string | number | null;

/**
 * Comma-separated values as RFC 4180 says: a line of names, CRLF at the end of each line, quotes where they are needed; null is empty.
 * Text that a spreadsheet would run as a formula (it begins with =, +, -, @, tab or return) gets an apostrophe in front.
 */
export function csvOf<Row extends object>(columns: readonly (keyof Row & string)[], rows: readonly Row[]): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] as Cell))];
  return lines.map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('');
}

function cellOf(value: Cell): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
