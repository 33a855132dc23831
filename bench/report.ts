import { type Machine, machineLines } from './machine.js';
import { type Measurement, floorMet, higherIsBetter } from './measurement.js';

const HEADINGS = ['measure', 'figure', 'ceiling', 'ratio', 'floor', 'gate'];

function number(value: number): string {
  return Number.isNaN(value) ? 'none' : value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 1 });
}

/** 100,000 met, or 30 missed: below floor. */
function floorText(measurement: Measurement): string {
  const { floor, unit } = measurement;
  if (floor === undefined) return '';
  const wanted = unit === 'count' ? number(floor) : `${higherIsBetter(unit) ? '>=' : '<'} ${number(floor)}`;
  return `${wanted} ${floorMet(measurement) ? 'met' : 'below floor'}`;
}

function cells(measurement: Measurement): string[] {
  const { name, value, unit, ceiling, ratio, gate } = measurement;
  return [name, `${number(value)} ${unit}`, ceiling === null ? '' : number(ceiling), ratio === null ? '' : ratio.toFixed(2), floorText(measurement), gate];
}

function detailText({ detail, ceilingName }: Measurement): string {
  const parts = Object.entries(detail ?? {}).map(([name, value]) => `${name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)} ${typeof value === 'number' ? number(value) : value}`);
  return [...(ceilingName ? [`ceiling: ${ceilingName}`] : []), ...parts].join('; ');
}

/** For a terminal: a line per figure, and below it what else was seen. */
export function tableText(measurements: readonly Measurement[], machine: Machine): string {
  const rows = [HEADINGS, ...measurements.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => row.map((cell, column) => (column === 0 || column > 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd();
  const body = measurements.flatMap((each, index) => [line(rows[index + 1]!), ...(detailText(each) ? [`    ${detailText(each)}`] : [])]);
  return ['', ...machineLines(machine), '', line(HEADINGS), ...body, ''].join('\n');
}

/** The table of docs/reference/benchmarks.md. */
export function markdownText(measurements: readonly Measurement[], machine: Machine): string {
  const row = (columns: readonly string[]) => `| ${columns.join(' | ')} |`;
  const body = measurements.map((each) => row([`\`${each.name}\``, ...cells(each).slice(1), detailText(each)]));
  const headings = [...HEADINGS, 'and'];
  return [...machineLines(machine), '', row(headings), row(['---', '--:', '--:', '--:', '---', '---', '---']), ...body, ''].join('\n');
}
