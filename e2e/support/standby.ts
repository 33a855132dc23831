import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { lowPort } from './low-port.js';

/** A Postgres that runs: its postmaster, and a superuser's URL. */
export interface Server {
  readonly pid: number | undefined;
  readonly url: string;
}

/** Not copied: it is the running server's, or comes over the wire. */
const OF_THE_SERVER = /^(postmaster\.(pid|opts)|pg_wal\/.+)$/;
const STARTS_WITHIN = 60_000;

/**
 * A streaming standby of a server: a copy made while that runs, which follows its log. Synchronous when the primary is told to wait for it, otherwise not.
 * `takeOver` is a failover: the standby becomes the primary, at its address.
 */
export class Standby implements Server {
  #child: ChildProcess | undefined;
  #port: number;

  private constructor(
    private readonly primary: Server,
    private readonly folder: string,
    private readonly command: readonly string[],
    port: number,
  ) {
    this.#port = port;
  }

  static async of(primary: Server): Promise<Standby> {
    const args = readFileSync(`/proc/${primary.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const data = args[args.indexOf('-D') + 1]!;
    const folder = mkdtempSync(join(tmpdir(), 'factline-standby-'));
    const { uid, gid } = statSync(data);
    await whileInBackup(primary, folder, () => cpSync(data, folder, { recursive: true, filter: (source) => !OF_THE_SERVER.test(source.slice(data.length + 1)) }));
    writeFileSync(join(folder, 'standby.signal'), '');
    execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
    execFileSync('chmod', ['700', folder]);
    const standby = new Standby(primary, folder, args.map((each) => (each === data ? folder : each)), await lowPort());
    const { hostname, port, username, password } = new URL(primary.url);
    await standby.#start([`primary_conninfo=host=${hostname} port=${port} user=${username} password=${password} application_name=standby`]);
    await withStore(primary.url, (store) => until('the standby to follow', async () => (await store.query("select from pg_stat_replication where state = 'streaming'")).rowCount === 1));
    return standby;
  }

  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  /** The same database name, user and password as the primary's. */
  get url(): string {
    const url = new URL(this.primary.url);
    url.port = String(this.#port);
    return url.href;
  }

  /** When the primary is gone: what was received is all there is from now on, at the primary's address. */
  async takeOver(): Promise<void> {
    await withStore(this.url, (store) => store.query('select pg_promote(true)'));
    await this.#stop('SIGINT');
    this.#port = Number(new URL(this.primary.url).port);
    await this.#start([]);
  }

  /** As `kill -9` of the machine. */
  kill(): Promise<void> {
    for (const child of this.pid === undefined ? [] : childrenOf(this.pid)) signal(child, 'SIGKILL');
    return this.#stop('SIGKILL');
  }

  async close(): Promise<void> {
    await this.#stop('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(settings: readonly string[]): Promise<void> {
    const { uid, gid } = statSync(this.folder);
    const [file, ...args] = this.command.map((each) => (each.startsWith('port=') ? `port=${this.#port}` : each));
    const log = openSync(join(this.folder, 'standby.log'), 'a');
    this.#child = spawn(file!, [...args, ...settings.flatMap((each) => ['-c', each])], { cwd: '/', env: { LANG: 'C', TZ: 'UTC' }, stdio: ['ignore', log, log], ...(process.getuid?.() === 0 && { uid, gid }) });
    await withStore(this.url, (store) => until('the standby to serve', () => store.query('select 1').then(() => true, () => false), STARTS_WITHIN));
  }

  async #stop(name: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || this.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill(name);
    await ended;
  }
}

/** Postgres' way to copy a running server's files, without a tool of its own. */
async function whileInBackup({ url }: Server, folder: string, copy: () => void): Promise<void> {
  await withStore(url, async (store) => {
    const session = await store.session();
    try {
      await session.query("select pg_backup_start('standby', true)");
      copy();
      const { rows } = await session.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
      writeFileSync(join(folder, 'backup_label'), rows[0]!.labelfile);
    } finally {
      await session.close();
    }
  });
}

async function withStore<T>(url: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = new Store({ url, applicationName: 'e2e standby', connections: 1 });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each) && statusOf(each).includes(`PPid:\t${pid}\n`)).map(Number);
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
