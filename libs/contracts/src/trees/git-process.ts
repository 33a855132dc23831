import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { FactlineError, messageOf } from 'factline/kernel';
import { GIT_DEADLINE_MS, GIT_OUTPUT_MAX_BYTES } from '../limits.js';

/** What a command of git ended with. Its words are for people and may be in their language: nothing here parses them. */
export interface GitAnswer {
  readonly code: number;
  readonly output: string;
  readonly words: string;
}

const TRANSPORTS = ['file', 'git', 'http', 'https', 'ssh', 'ext'];
/** No lock that another git would wait for; and no network: in a partial clone git would fetch what it is asked for and does not have. */
const OFFLINE = ['--no-optional-locks', '-c', 'protocol.allow=never', ...TRANSPORTS.flatMap((transport) => ['-c', `protocol.${transport}.allow=never`])];

/** The repository around a folder, asked with plumbing commands only, never through a shell. */
export class Git {
  constructor(
    readonly root: string,
    private readonly program = 'git',
  ) {}

  /** Runs a command to its end, whatever it ends with. @throws FactlineError `git.missing`, `git.failed`. */
  run(...args: readonly string[]): Promise<GitAnswer> {
    return new Promise((resolve, reject) => {
      const options = { timeout: GIT_DEADLINE_MS, maxBuffer: GIT_OUTPUT_MAX_BYTES, killSignal: 'SIGKILL' } as const;
      execFile(this.program, this.#arguments(args), options, (error, output, words) => {
        if (error === null) resolve({ code: 0, output, words: words.trim() });
        else if (typeof error.code === 'number') resolve({ code: error.code, output, words: words.trim() });
        else reject(this.failure(args[0]!, error));
      });
    });
  }

  /** The same for a command that is expected to succeed. @throws FactlineError also when it does not. */
  async output(...args: readonly string[]): Promise<string> {
    const { code, output, words } = await this.run(...args);
    if (code !== 0) throw this.failure(args[0]!, new Error(words || `exit code ${code}`));
    return output;
  }

  /** Starts reading objects by their ids; to be ended. */
  objects(): ObjectReader {
    return new ObjectReader(spawn(this.program, this.#arguments(['cat-file', '--batch'])), (error) => this.failure('cat-file', error));
  }

  #arguments(args: readonly string[]): string[] {
    return ['-C', this.root, ...OFFLINE, ...args];
  }

  /** `git.missing`, or `git.failed` with git's words. */
  failure(command: string, error: Error): FactlineError {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return new FactlineError({ code: 'git.missing', kind: 'unavailable', retry: false, message: 'The program git was not found.', advice: 'Install git 2.30 or newer, and see that it is in PATH.', cause: error });
    }
    return new FactlineError({
      code: 'git.failed',
      kind: 'unavailable',
      retry: false,
      message: `git ${command} failed in ${this.root}: ${messageOf(error)}`,
      advice: 'Run git fsck there; if the repository is sound, see what git says.',
      details: { command },
      cause: error,
    });
  }
}

interface Reading {
  resolve(content: Buffer | undefined): void;
  reject(error: Error): void;
}

/** One `git cat-file --batch`, asked for any number of objects; it answers in the order of the questions ("BATCH OUTPUT" of its manual). */
export class ObjectReader {
  readonly #open: Reading[] = [];
  readonly #ended: Promise<void>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the object whose beginning was read. */
  #size: number | undefined;
  #words = '';
  #failure: Error | undefined;

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly failed: (error: Error) => Error,
  ) {
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    child.once('error', (error) => this.#fail(error));
    child.once('close', (code, signal) => this.#fail(new Error(this.#words.trim() || `it ended with ${signal ?? code}`)));
    child.stdin.on('error', () => undefined); // a broken pipe: 'close' comes next, with the reason
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#words += text));
    child.stdout.on('data', (chunk: Buffer) => this.#received(chunk));
  }

  /** The content of an object, undefined when the repository does not have it. @throws FactlineError `git.missing`, `git.failed`. */
  async read(id: string): Promise<Buffer | undefined> {
    if (this.#failure) throw this.#failure;
    const deadline = setTimeout(() => this.child.kill('SIGKILL'), GIT_DEADLINE_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#open.push({ resolve, reject });
        this.child.stdin.write(`${id}\n`);
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Resolves when the process is gone. What is being read ends first. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.#ended;
  }

  #fail(error: Error): void {
    this.#failure ??= this.failed(error);
    for (const reading of this.#open.splice(0)) reading.reject(this.#failure);
  }

  #received(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#answer());
  }

  /** Answers the oldest question if all of its answer is here: `<id> <type> <size>`, the content and a newline; or `<id> missing`. */
  #answer(): boolean {
    if (this.#size === undefined) {
      const header = this.#take(this.#joined().indexOf('\n') + 1);
      if (!header) return false;
      const size = / (\d+)\n$/.exec(header.toString('latin1'))?.[1];
      if (size === undefined) {
        this.#open.shift()?.resolve(undefined);
        return true;
      }
      this.#size = Number(size);
    }
    const content = this.#take(this.#size + 1);
    if (!content) return false;
    this.#size = undefined;
    this.#open.shift()?.resolve(content.subarray(0, -1));
    return true;
  }

  #take(bytes: number): Buffer | undefined {
    if (bytes === 0 || this.#bytes < bytes) return undefined;
    const all = this.#joined();
    this.#chunks = [all.subarray(bytes)];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}
