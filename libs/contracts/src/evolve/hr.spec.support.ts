import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkContracts } from '../check/check.js';
import type { Finding } from '../check/finding.js';
import { type Landscape, readLandscape } from '../check/landscape.js';
import { Workshop } from '../trees/repository.spec.support.js';
import { formatLock, parseLock } from '../lock/lock.js';
import { workingTree } from '../trees/tree.js';
import { generate } from '../generate.js';
import { type Change, type Evolution, evolve } from './evolve.js';

const HERE = join(import.meta.dirname, '../../../..');

export const TODAY = '2026-11-21';
export const SUNSET = '2027-02-01';
const LOCK = 'schemas/registry.lock.json';
export const CREATED = 'schemas/hr/employee/EmployeeCreated.avsc';

/** The schemas and contracts of hr and payroll in a repository of their own, committed. */
export class Hr {
  readonly #workshop = new Workshop();

  constructor() {
    this.#workshop.init('');
    for (const part of ['hr', 'factline', 'contracts.config.yaml']) cpSync(join(HERE, 'schemas', part), this.#workshop.path(`schemas/${part}`), { recursive: true });
    const { name, subjects } = parseLock(readFileSync(join(HERE, LOCK), 'utf8'), LOCK);
    this.write(LOCK, formatLock({ name, subjects: new Map([...subjects].filter(([subject]) => subject.startsWith('hr.'))) }));
    for (const app of ['hr', 'payroll']) {
      cpSync(join(HERE, `apps/${app}/contracts.yaml`), this.#workshop.path(`apps/${app}/contracts.yaml`));
      this.#workshop.write(`apps/${app}/src/README.md`, 'What is generated lies here.');
    }
    this.#workshop.commit('', {});
  }

  git(...args: string[]): string {
    return this.#workshop.git('', ...args);
  }

  read(file: string): string {
    return readFileSync(this.#workshop.path(file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(this.#workshop.path(file), text);
  }

  /** Writes a file and commits it. */
  commit(file: string, text: string): void {
    this.write(file, text);
    this.git('commit', '--quiet', '--all', '--message', file);
  }

  /** `file:line` of the first line that holds a text. */
  place(file: string, text: string): string {
    return `${file}:${this.read(file).split('\n').findIndex((line) => line.includes(text)) + 1}`;
  }

  /** Added and removed lines of each changed file, as git counts them: `7 1`. */
  counts(): Record<string, string> {
    const lines = this.git('diff', '--numstat').split('\n').filter(Boolean);
    return Object.fromEntries(lines.map((line) => [line.split('\t')[2]!, line.split('\t').slice(0, 2).join(' ')]));
  }

  landscape(): Promise<Landscape> {
    return readLandscape(workingTree(this.#workshop.folder), { schemas: 'schemas', apps: 'apps' });
  }

  plan(change: Change): Promise<Evolution> {
    return evolve(this.#workshop.folder, change, { today: TODAY });
  }

  /** What `contracts check` says of the files as they are, against those before. */
  async findings(before: Landscape): Promise<readonly Finding[]> {
    return checkContracts(await this.landscape(), [{ name: 'before', landscapes: [before] }], { today: TODAY }).findings;
  }

  /** Writes a change and generates types; answers it with the errors that the check finds. */
  async evolve(change: Change): Promise<{ errors: string[]; evolution: Evolution }> {
    const before = await this.landscape();
    const evolution = await this.plan(change);
    await evolution.write();
    await generate(this.#workshop.folder);
    const errors = (await this.findings(before)).filter(({ severity }) => severity === 'error').map(({ rule, field }) => `${rule} ${field}`);
    return { errors, evolution };
  }

  remove(): void {
    this.#workshop.remove();
  }
}

export function deprecation(target: string, use?: string): Change {
  return { kind: 'deprecate', target, sunset: SUNSET, ...(use !== undefined && { use }) };
}
