import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { FactlineError, messageOf, pause } from 'factline/kernel';
import { LOG_TAIL_BYTES, LOG_TAIL_LINES, PART_READY_DEADLINE_MS, PART_STOP_DEADLINE_MS, READINESS_POLL_MS } from './limits.js';
import { isFree } from './ports.js';
import { type ProcessIdentity, childrenOf, endProcess, goneWithin, isAlive, signal, startTimeOf } from './processes.js';
import type { Probe } from './readiness.js';
import type { Launch } from './record.js';

/** One service of a stack that is ours to stop and start, for demonstrations of faults and for tests. */
export interface StackPart {
  /** Undefined while it is stopped. Of several brokers, the first. */
  readonly pid: number | undefined;
  /** Ends it as an operator would (data is flushed); resolves when it is gone. */
  stop(): Promise<void>;
  /** Starts it on the same port and data; resolves when it serves. Nothing happens when it runs. */
  start(): Promise<void>;
  /** Signals it and its children: SIGKILL (resolves when it is gone), SIGSTOP and SIGCONT for a pause. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** A part that is a process of its own, known by its identity, so that it can also be driven from a process that did not start it. */
export class ProcessPart implements StackPart {
  constructor(
    readonly launch: Launch,
    private readonly probe: Probe,
    private identity: ProcessIdentity | undefined,
    /** Called at once after each start, before anything else can happen. */
    private readonly remember: (identity: ProcessIdentity) => void,
    /** Where the log of a failed start is kept: the stack's own folder is deleted then. */
    private readonly failureLog: string,
  ) {}

  /** Of a process that this one started: until it is reaped Postgres takes a dead predecessor for one that runs. */
  private reaped: Promise<void> | undefined;

  get pid(): number | undefined {
    return this.identity && isAlive(this.identity) ? this.identity.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    // somebody else's service on the port would answer the readiness question in place of ours
    if (!(await isFree(portOf(this.launch.address)))) throw this.failed(`${this.launch.address} is in use`);
    await this.spawn();
    await this.ready();
  }

  async stop(): Promise<void> {
    // Postgres waits for its clients on SIGTERM; SIGINT ends their sessions and flushes all the same
    if (this.identity) await endProcess(this.identity, this.launch.kind === 'postgres' ? 'SIGINT' : 'SIGTERM', PART_STOP_DEADLINE_MS);
    await this.reaped;
  }

  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.identity || !isAlive(this.identity)) return;
    const all = [this.identity, ...childrenOf(this.identity.pid)];
    for (const each of all) signal(each, name);
    if (name === 'SIGKILL') await Promise.all([...all.map((each) => goneWithin(each, PART_STOP_DEADLINE_MS)), this.reaped]);
  }

  /** Undefined when it serves, else what is wrong. */
  async health(): Promise<string | undefined> {
    if (this.pid === undefined) return 'it is not running';
    return await this.probe();
  }

  private async spawn(): Promise<void> {
    const { file, args, cwd, env, user, log } = this.launch;
    const output = openSync(log, 'a', 0o600);
    let child: ChildProcess;
    try {
      // a group of its own: Ctrl+C in the terminal reaches the owner only, which stops what depends on this part first
      child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', output, output], ...user });
      if (child.pid !== undefined) {
        this.identity = { pid: child.pid, startedAt: startTimeOf(child.pid) ?? '' };
        this.remember(this.identity);
        this.reaped = new Promise((resolve) => child.once('exit', () => resolve()));
      }
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
    } catch (error) {
      throw this.failed(messageOf(error), error);
    } finally {
      closeSync(output);
    }
    child.unref();
  }

  private async ready(): Promise<void> {
    const deadline = performance.now() + PART_READY_DEADLINE_MS;
    for (;;) {
      const wrong = await this.health();
      if (wrong === undefined) return;
      if (this.pid === undefined) throw this.failed('it ended while it started');
      if (performance.now() > deadline) throw this.failed(`it does not serve after ${PART_READY_DEADLINE_MS / 1_000} s: ${wrong}`);
      await pause(READINESS_POLL_MS);
    }
  }

  private failed(reason: string, cause?: unknown): FactlineError {
    const { name } = this.launch;
    const log = existsSync(this.launch.log) ? this.failureLog : '';
    if (log) {
      mkdirSync(dirname(log), { recursive: true });
      copyFileSync(this.launch.log, log);
    }
    return new FactlineError({
      code: 'stack.part-failed',
      kind: 'unavailable',
      message: `${name} could not be started: ${reason}.${log && ` The end of ${log}:\n${tailOf(log)}`}`,
      advice: 'Look for the cause in the log; a wrong setting, a port in use or a full disk are the usual ones.',
      details: { part: name, log },
      cause,
    });
  }
}

/** Several parts as one: stopped together, started together. */
export function together(parts: readonly ProcessPart[]): StackPart {
  const each = async (action: (part: ProcessPart) => Promise<void>) => void (await Promise.all(parts.map(action)));
  return {
    get pid() {
      return parts[0]?.pid;
    },
    stop: () => each((part) => part.stop()),
    start: () => each((part) => part.start()),
    kill: (name) => each((part) => part.kill(name)),
  };
}

function portOf(address: string): number {
  return Number(URL.canParse(address) && address.startsWith('http') ? new URL(address).port : address.slice(address.lastIndexOf(':') + 1));
}

function tailOf(log: string): string {
  const text = readFileSync(log).subarray(-LOG_TAIL_BYTES).toString('utf8').trimEnd();
  return text === '' ? '(empty)' : text.split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
