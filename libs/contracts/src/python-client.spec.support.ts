import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What tools/interop/confluent_avro.py is asked and answers; bytes are `{ $bytes: hex }`. */
export type PythonQuestion = { readonly decode: string } | { readonly encode: unknown; readonly schema: string; readonly subject: string };
export interface PythonAnswer {
  readonly value?: unknown;
  readonly hex?: string;
  readonly error?: string;
}

const PYTHON = 'python3';
const PROGRAM = join(import.meta.dirname, '../../../tools/interop/confluent_avro.py');
/** fastavro is what Confluent's client reads and writes Avro with; it allows any version since 1.0. */
const PACKAGES = ['confluent-kafka[avro]==2.16.0', 'fastavro==1.13.1'];
/** 61 MB take 7 s on a fast line. */
const INSTALL_DEADLINE_MS = 120_000;

/** Confluent's Python client, kept in the cache of the stack and put in place by a rename; or why it cannot be had here. */
export async function pythonClient(): Promise<{ folder: string } | { missing: string }> {
  const version = await run(['-c', 'import platform, sys; print(sys.version_info[:2], platform.machine(), platform.system())'], '');
  if (version.code !== 0) return { missing: `no Python (${PYTHON}): ${lastLine(version.errors)}` };
  const { FACTLINE_CACHE_DIR, XDG_CACHE_HOME, HOME } = process.env;
  const cache = FACTLINE_CACHE_DIR || join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'factline');
  const folder = join(cache, `python-client-${createHash('sha256').update(PACKAGES.join() + version.output).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return { folder };
  await mkdir(join(cache, 'partial'), { recursive: true });
  const attempt = await mkdtemp(join(cache, 'partial', 'python-client-'));
  const installed = await run(['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', attempt, ...PACKAGES], '', {}, INSTALL_DEADLINE_MS);
  if (installed.code === 0) {
    await rename(attempt, folder).catch((error: NodeJS.ErrnoException) => {
      if (!['EEXIST', 'ENOTEMPTY'].includes(error.code ?? '')) throw error; // the other process's copy is as good
    });
  }
  await rm(attempt, { recursive: true, force: true });
  return installed.code === 0 ? { folder } : { missing: `pip could not install ${PACKAGES[0]}: ${lastLine(installed.errors)}` };
}

/** The answers in the order of the questions. */
export async function askPython(folder: string, url: string, questions: readonly PythonQuestion[]): Promise<PythonAnswer[]> {
  const { code, output, errors } = await run([PROGRAM, url], questions.map((question) => `${JSON.stringify(question)}\n`).join(''), { PYTHONPATH: folder });
  const answers = output.split('\n').filter(Boolean).map((line) => JSON.parse(line) as PythonAnswer);
  if (code !== 0 || answers.length !== questions.length) throw new Error(`Python gave ${answers.length} answers to ${questions.length} questions, exit code ${code}: ${errors}`);
  return answers;
}

async function run(args: readonly string[], input: string, env: NodeJS.ProcessEnv = {}, deadlineMs = INSTALL_DEADLINE_MS): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env }, timeout: deadlineMs });
  child.stdin.on('error', () => undefined); // it may end before it has read all: its exit code tells
  child.stdin.end(input);
  const ended = once(child, 'close').then(([code]) => code as number, (error: Error) => error.message); // not found
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return typeof code === 'string' ? { code: -1, output, errors: code } : { code, output, errors };
}

function lastLine(words: string): string {
  return words.trim().split('\n').at(-1) ?? '';
}
