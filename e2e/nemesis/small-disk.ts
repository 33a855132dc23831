import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rename, rm, rmdir, stat, statfs, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from 'factline/kernel';
import type { Stack } from 'factline/stack';
import { Store } from 'factline/store';

const run = promisify(execFile);

/** The empty cluster with three databases takes 75 MB and its log up to 64 MB; five minutes of the workload write about 150 MB. */
const SIZE_MB = 600;
const SIZE_MB_PER_MINUTE = 60;
/** What concurrent writes may take between the look and the fill. */
const SLACK_BYTES = 64 * 1024;
const FILL_ATTEMPTS = 4;

/** A file system in memory under Postgres, small enough to be filled. Needs the right to mount: root, or CAP_SYS_ADMIN. */
export class SmallDisk {
  private constructor(
    private readonly folder: string,
    private readonly unmountAtExit: () => void,
  ) {}

  /** Moves the data of a running stack onto it. @returns the reason when it cannot be mounted here; the stack is then as it was. */
  static async under(stack: Stack, minutes: number): Promise<SmallDisk | string> {
    const folder = await mkdtemp(join(tmpdir(), 'factline-disk-'));
    await chmod(folder, 0o711); // the user Postgres runs as enters it
    const data = await dataFolder(stack);
    const { uid, gid } = await stat(data);
    const mount = join(folder, 'data');
    const size = `${SIZE_MB + Math.ceil(minutes * SIZE_MB_PER_MINUTE)}m`;
    await run('mkdir', [mount]);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700,uid=${uid},gid=${gid}`, 'factline-nemesis', mount]);
    } catch (error) {
      await rm(folder, { recursive: true });
      return `no tmpfs can be mounted: ${messageOf(error).trim().split('\n').at(-1)}`;
    }
    const unmountAtExit = () => {
      execFileSync('umount', ['--lazy', mount]); // the server may still be on its way out
      rmSync(folder, { recursive: true });
    };
    process.once('exit', unmountAtExit);
    await stack.parts!.postgres.stop();
    await run('cp', ['-a', `${data}/.`, mount]);
    await rename(data, `${data}-before`);
    await symlink(mount, data);
    await stack.parts!.postgres.start();
    return new SmallDisk(folder, unmountAtExit);
  }

  /** Takes all the room that is left; the server may take some of it meanwhile, and then less is tried. */
  async fill(): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const { bavail, bsize } = await statfs(join(this.folder, 'data'));
      const bytes = Math.max(1, bavail * bsize - SLACK_BYTES * 4 ** attempt);
      try {
        await run('fallocate', ['--length', String(bytes), this.#ballast]);
        return `${Math.round(bytes / 1024 / 1024)} MB of ballast`;
      } catch (error) {
        if (attempt === FILL_ATTEMPTS) throw error;
      }
    }
  }

  async free(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** After Postgres has stopped. */
  async close(): Promise<void> {
    process.removeListener('exit', this.unmountAtExit);
    await run('umount', [join(this.folder, 'data')]);
    await rmdir(join(this.folder, 'data'));
    await rmdir(this.folder);
  }

  get #ballast(): string {
    return join(this.folder, 'data', 'nemesis-ballast');
  }
}

async function dataFolder(stack: Stack): Promise<string> {
  const store = new Store({ url: stack.postgresUrl, applicationName: 'nemesis', connections: 1 });
  try {
    const { rows } = await store.query<{ folder: string }>("select current_setting('data_directory') as folder");
    return rows[0]!.folder;
  } finally {
    await store.close();
  }
}
