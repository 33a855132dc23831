import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type History, formatLock } from 'factline/contracts/lock';
import { CLI, ROOT } from './root.js';

const LOCK = 'registry.lock.json';

export const EMPLOYEE_CREATED = 'schemas/hr/employee/EmployeeCreated.avsc';
export const PAYROLL = 'apps/payroll/contracts.yaml';

type Subject = History['subjects'] extends ReadonlyMap<string, infer Known> ? Known & { subject: string } : never;

/** Copies what hr and payroll need of `schemas/`: what other apps declare must not change what specs and pages say of these two. */
export function copySchemasOfHr(to: string, { lock }: { lock: boolean }): void {
  for (const part of ['hr', 'factline', 'contracts.config.yaml']) cpSync(resolve(ROOT, 'schemas', part), join(to, part), { recursive: true });
  if (!lock) return;
  const { subjects } = JSON.parse(readFileSync(resolve(ROOT, 'schemas', LOCK), 'utf8')) as { subjects: Subject[] };
  const own = subjects.filter(({ subject }) => subject.startsWith('hr.')).map(({ subject, ...known }) => [subject, known] as const);
  writeFileSync(join(to, LOCK), formatLock({ name: 'lock', subjects: new Map(own) }));
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Field {
  name: string;
  [attribute: string]: unknown;
}

/** A repository with the schemas and contracts of hr and payroll and nothing else: no packages, no configuration, no build. On the branch `change`, one commit after `main`. */
export class Declarations {
  readonly folder = mkdtempSync(join(tmpdir(), 'factline-declarations-'));
  readonly root: string;

  readonly #environment: Readonly<Record<string, string>>;

  /** @param lock whether it knows what was registered. @param environment what its programs are told besides PATH. */
  constructor({ lock = false, environment = {} }: { lock?: boolean; environment?: Readonly<Record<string, string>> } = {}) {
    this.#environment = environment;
    this.root = join(this.folder, 'repository');
    copySchemasOfHr(this.at('schemas'), { lock });
    for (const app of ['hr', 'payroll']) cpSync(resolve(ROOT, `apps/${app}/contracts.yaml`), this.at(`apps/${app}/contracts.yaml`));
    this.git('init', '--quiet', '--initial-branch=main');
    this.commit('first');
    this.git('switch', '--quiet', '--create', 'change');
  }

  at(file: string, root = this.root): string {
    return join(root, file);
  }

  read(file: string): string {
    return readFileSync(this.at(file), 'utf8');
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.at(file)), { recursive: true });
    writeFileSync(this.at(file), text);
  }

  git(...args: string[]): string {
    return this.#git(this.root, args);
  }

  /** Commits everything; answers the id. */
  commit(message: string): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', `--message=${message}`);
    return this.git('rev-parse', 'HEAD');
  }

  /** A clone beside it, as over a network; answers its root. */
  clone(name: string, ...options: string[]): string {
    const to = join(this.folder, name);
    this.#git(this.folder, ['clone', '--quiet', ...options, `file://${this.root}`, to]);
    return to;
  }

  gitIn(root: string, ...args: string[]): string {
    return this.#git(root, args);
  }

  fields(change: (fields: Field[]) => Field[], file = EMPLOYEE_CREATED): void {
    const schema = JSON.parse(this.read(file)) as { fields: Field[] };
    this.write(file, `${JSON.stringify({ ...schema, fields: change(schema.fields) }, null, 2)}\n`);
  }

  without(...names: string[]): void {
    this.fields((fields) => fields.filter(({ name }) => !names.includes(name)));
  }

  contracts(...args: string[]): Ended {
    return this.contractsIn(this.root, ...args);
  }

  /** `factline contracts ...` in some folder. */
  contractsIn(root: string, ...args: string[]): Ended {
    return this.run(process.execPath, [CLI, 'contracts', ...args], root);
  }

  run(program: string, args: readonly string[], cwd = this.root): Ended {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: this.folder, ...this.#environment } });
    return { code: status ?? -1, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #git(cwd: string, args: readonly string[]): string {
    const { code, stdout, stderr } = this.run('git', ['-c', 'user.name=spec', '-c', 'user.email=spec@example.org', '-c', 'protocol.file.allow=always', '-c', 'advice.detachedHead=false', ...args], cwd);
    if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }
}
