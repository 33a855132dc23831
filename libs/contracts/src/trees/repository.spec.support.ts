import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SETTINGS = ['user.name=spec', 'user.email=spec@example.org', 'commit.gpgsign=false', 'init.defaultBranch=main', 'protocol.file.allow=always', 'advice.detachedHead=false'];

/** A folder to write into, with git at hand; thrown away at the end. */
export class Workshop {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'factline-git-')));

  path(...steps: string[]): string {
    return join(this.folder, ...steps);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** Runs git in a folder of the workshop; answers what it prints. */
  git(folder: string, ...args: string[]): string {
    const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
    return execFileSync('git', ['-C', this.path(folder), ...settings, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  /** Writes files into a repository and commits all it holds; answers the id. */
  commit(repository: string, files: Readonly<Record<string, string>>): string {
    for (const [file, text] of Object.entries(files)) this.write(join(repository, file), text);
    this.git(repository, 'add', '--all', '--force');
    this.git(repository, 'commit', '--quiet', '--message', Object.keys(files).join(', ') || 'change');
    return this.git(repository, 'rev-parse', 'HEAD');
  }

  init(repository: string): void {
    mkdirSync(this.path(repository), { recursive: true });
    this.git(repository, 'init', '--quiet');
  }

  /** A clone by the file transport, which can be shallow or partial as one over a network. */
  clone(from: string, to: string, ...options: string[]): void {
    this.git('', 'clone', '--quiet', ...options, `file://${this.path(from)}`, this.path(to));
  }

  /** Runs a line that an error advised, as a person would: `git fetch --deepen=100 origin main`. */
  follow(folder: string, command: unknown): void {
    const [program, ...args] = String(command).split(' ');
    if (program !== 'git') throw new Error(`not a command of git: ${String(command)}`);
    this.git(folder, ...args);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; kind: string; retry: boolean; message: string; advice: string; details: Record<string, unknown> }> {
  return call.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as never,
  );
}
