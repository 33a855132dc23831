import { type ChildProcess, spawn } from 'node:child_process';
import { FactlineError, pause } from 'factline/kernel';

/** Longer than an app's own shutdown deadline of 10 s, also when the machine is busy. */
const STOP_TIMEOUT = 30_000;
const TAIL_CHARACTERS = 3_000;

export interface Ending {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  environment: Readonly<Record<string, string>>;
  cwd: string;
}

/** Node with these arguments, or a shell that does something first and then becomes it. */
export function nodeCommand(args: readonly string[], shell?: string): [string, string[]] {
  return shell === undefined ? [process.execPath, [...args]] : ['sh', ['-c', `${shell}; exec "$@"`, 'sh', process.execPath, ...args]];
}

/** A process of its own, with its output kept. It gets the given environment and PATH, nothing else. */
export class Program {
  stdout = '';
  stderr = '';
  /** When it is gone and its output is complete. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], { environment, cwd }: ProgramOptions) {
    const child = spawn(command, args, { cwd, env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((done, failed) => {
      child.once('error', failed);
      child.once('close', (code, signal) => done({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The JSON lines of its standard output so far; a line that is being written is left out. */
  get lines(): Record<string, unknown>[] {
    return this.stdout
      .slice(0, this.stdout.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** What it said last, for the message of a failing test. */
  get tail(): string {
    return (this.stdout + this.stderr).slice(-TAIL_CHARACTERS);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends the signal and waits for the end. @throws FactlineError `e2e.not-stopped` when it had to be killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    if (this.running) this.#child.kill(signal);
    const late = new AbortController();
    const ending = await Promise.race([this.ended, pause(STOP_TIMEOUT, late.signal)]);
    late.abort();
    if (ending) return ending;
    this.#child.kill('SIGKILL');
    await this.ended;
    throw new FactlineError({
      code: 'e2e.not-stopped',
      kind: 'internal',
      message: `Process ${this.pid} was still there ${STOP_TIMEOUT} ms after ${signal}: ${this.tail}`,
      advice: 'Look at what it was still doing.',
    });
  }
}
