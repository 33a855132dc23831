import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instance } from './schedule.js';

/** Where Debian, Fedora and a build by hand put libfaketime for programs with threads. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((target) => `/usr/lib/${target}/faketime/libfaketimeMT.so.1`).concat('/usr/lib64/faketime/libfaketimeMT.so.1', '/usr/local/lib/faketime/libfaketimeMT.so.1');
/** Those whose clock can be set; the others tell the right time. */
const INSTANCES: readonly string[] = ['hr-1', 'payroll-1'];
/** How long libfaketime keeps what it read from the file. */
const CACHE_SECONDS = '1';
const SHARED_MEMORY = '/dev/shm';

/** Wall clocks of single processes, which can be set while they run; monotonic clocks stay right, as they do when an operator sets a machine's time. */
export class WrongClock {
  private constructor(
    private readonly library: string,
    private readonly folder: string,
  ) {}

  /** @returns the reason when it cannot be done here. */
  static async find(): Promise<WrongClock | string> {
    const library = LIBRARIES.find((file) => existsSync(file));
    if (!library) return 'libfaketime is not installed (Debian: apt-get install libfaketime)';
    const clock = new WrongClock(library, await mkdtemp(join(tmpdir(), 'factline-clock-')));
    for (const instance of INSTANCES) await clock.set(instance, 0);
    return clock;
  }

  settings(instance: Instance): Readonly<Record<string, string>> {
    if (!INSTANCES.includes(instance)) return {};
    return { LD_PRELOAD: this.library, FAKETIME_TIMESTAMP_FILE: this.#file(instance), FAKETIME_CACHE_DURATION: CACHE_SECONDS, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  }

  async set(instance: string, offsetSeconds: number): Promise<void> {
    await writeFile(this.#file(instance), `${offsetSeconds < 0 ? '-' : '+'}${Math.abs(offsetSeconds)}`);
  }

  /** Also while this process exits. @param pids of all processes that were given its settings: a killed one leaves its piece of shared memory behind. */
  close(pids: readonly number[]): void {
    const left = existsSync(SHARED_MEMORY) ? readdirSync(SHARED_MEMORY) : [];
    const own = left.filter((name) => name.includes('faketime') && pids.some((pid) => name.endsWith(`_${pid}`)));
    for (const name of own) rmSync(join(SHARED_MEMORY, name), { force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  #file(instance: string): string {
    return join(this.folder, instance);
  }
}
