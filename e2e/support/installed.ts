import { delimiter, dirname } from 'node:path';
import { Program } from './program.js';
import { ROOT } from './root.js';

/** What `npm pack` answers. */
export interface Packed {
  filename: string;
  files: { path: string }[];
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A program as somebody starts it who installs packages: with settings of npm's own, wherever this machine keeps them, and the Node that runs this. */
export function outsider(command: string, args: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}): Program {
  const kept = Object.entries(process.env).filter(([name]) => /^(home|npm_config_(registry|cache|userconfig|globalconfig|cafile)|https?_proxy|no_proxy|node_extra_ca_certs)$/i.test(name));
  const npm = { ...(Object.fromEntries(kept) as Record<string, string>), PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };
  return new Program(command, args, { cwd, environment: { ...npm, ...environment } });
}

export async function ended(program: Program): Promise<Ended> {
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** Packs this repository's package, as built, into a folder. */
export async function packInto(folder: string): Promise<Packed> {
  const { stdout } = await ended(outsider('npm', ['pack', '--json', '--pack-destination', folder], ROOT));
  return (JSON.parse(stdout) as Packed[])[0]!;
}

/** Installs from npm's cache where it can; no package may run a script. @param packages beside those of package.json. @throws Error with npm's words. */
export async function installInto(folder: string, ...packages: string[]): Promise<Ended> {
  const install = await ended(outsider('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', ...packages], folder));
  if (install.code !== 0) throw new Error(`npm install: ${install.stderr}`);
  return install;
}
