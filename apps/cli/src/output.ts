import { type ErrorKind, FactlineError, messageOf } from 'factline/kernel';

/** What a process answers with. Scripts rely on these; docs/reference/cli.md lists them. */
export const EXIT_CODES: Readonly<Record<ErrorKind | 'findings' | 'cancelled', number>> = {
  refused: 1,
  conflict: 1,
  invalid: 2,
  'not-found': 2,
  configuration: 2,
  unavailable: 3,
  fenced: 4,
  integrity: 5,
  internal: 70,
  findings: 100,
  cancelled: 130,
};

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Text for people on a terminal, JSON lines for machines; colours and moving lines only where a terminal shows them. */
export class Output {
  #moving = false;

  /** @param programs whether a program reads the result, in whatever form: then it is told an error as JSON. */
  constructor(
    readonly json: boolean,
    private readonly stream: NodeJS.WriteStream = process.stdout,
    private readonly programs: boolean = json,
  ) {}

  get terminal(): boolean {
    return this.stream.isTTY && !this.json;
  }

  paint(text: string, ...colours: (keyof typeof COLOURS)[]): string {
    return this.terminal && !process.env['NO_COLOR'] ? `\u001b[${colours.map((colour) => COLOURS[colour]).join(';')}m${text}\u001b[0m` : text;
  }

  /** One result: `data` for machines, `lines` for people. Many lines are given as a list: arguments lie on the stack, where 100,000 have no room. */
  print(data: object, ...lines: (string | readonly string[])[]): void {
    this.#endMoving();
    this.stream.write(this.json ? `${JSON.stringify(data)}\n` : lines.flat().map((line) => `${line}\n`).join(''));
  }

  /** A line that the next one replaces; on anything but a terminal it is left out, and machines get every state. */
  move(data: object, line: string): void {
    if (this.json) this.stream.write(`${JSON.stringify(data)}\n`);
    if (!this.terminal) return;
    this.stream.write(`\r\u001b[2K${line}`);
    this.#moving = true;
  }

  #endMoving(): void {
    if (this.#moving) this.stream.write('\r\u001b[2K');
    this.#moving = false;
  }

  /** What failed, which thing, what to do next; on standard error. @returns the exit code. */
  fail(thrown: unknown): number {
    this.#endMoving();
    if ((thrown as Error | undefined)?.name === 'AbortError') {
      process.stderr.write(this.programs ? `${JSON.stringify({ error: 'cancelled' })}\n` : 'Cancelled; what was finished is kept.\n');
      return EXIT_CODES.cancelled;
    }
    const error = thrown instanceof FactlineError ? thrown : undefined;
    const kind = error?.kind ?? 'internal';
    if (this.programs) {
      process.stderr.write(`${JSON.stringify({ error: error?.code ?? 'internal', kind, message: messageOf(thrown), advice: error?.advice, details: error?.details })}\n`);
    } else {
      const label = process.stderr.isTTY && !process.env['NO_COLOR'] ? '\u001b[31;1merror\u001b[0m' : 'error';
      process.stderr.write(`${label}  ${messageOf(thrown)}${error ? `  (${error.code})` : ''}\n`);
      if (error?.advice) process.stderr.write(`next   ${error.advice}\n`);
      if (!error && thrown instanceof Error && thrown.stack) process.stderr.write(`${thrown.stack}\n`);
    }
    return EXIT_CODES[kind];
  }
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0);
  const scaled = value / 1_000 ** unit;
  return `${scaled < 10 && unit > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

export function elapsed(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
