import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Landscape, checkContracts, readLandscape } from 'factline/contracts/check';
import { Workspace, regenerate } from 'factline/contracts/evolve';
import { FactlineError } from 'factline/kernel';
import { CONFIG_FILE, type FactlineConfig, loadConfig } from '../config.js';

/** Folder of the apps: where `factline contracts` looks for them. */
export const APPS = 'apps';

/** A repository that something new is put into. What is wrong is gathered and told at once; nothing is written before all of it is known to hold. */
export class Ground {
  readonly #faults: string[] = [];
  readonly #there: string[] = [];

  private constructor(
    readonly root: string,
    readonly workspace: Workspace,
    /** undefined: there is no factline.config.json yet. */
    readonly config: FactlineConfig | undefined,
    readonly schemas: string,
    /** As it is declared now. */
    readonly before: Landscape,
  ) {}

  /** @throws FactlineError `cli.configuration`, and what is wrong with the declarations that are there. */
  static async open(root: string): Promise<Ground> {
    const config = existsSync(join(root, CONFIG_FILE)) ? await loadConfig(root) : undefined;
    const schemas = config?.schemas ?? 'schemas';
    const workspace = new Workspace(root);
    return new Ground(root, workspace, config, schemas, await readLandscape(workspace, { schemas, apps: APPS }));
  }

  has(file: string): boolean {
    return existsSync(join(this.root, file));
  }

  fault(...faults: readonly string[]): void {
    this.#faults.push(...faults);
  }

  /** A new file; one that is there already is never written over. */
  async create(file: string, text: string): Promise<void> {
    if (this.has(file)) this.#there.push(file);
    else await this.workspace.create(file, text);
  }

  async change(file: string, text: string): Promise<void> {
    await this.workspace.put(file, text);
  }

  /** @throws FactlineError `new.invalid` (invalid), `new.exists` (conflict), with all that is wrong. */
  refuse(): void {
    const there = this.#there.map((file) => `${file} is there already, and is not written over`);
    const faults = [...this.#faults, ...there];
    if (this.#faults.length > 0) throw new FactlineError({ code: 'new.invalid', kind: 'invalid', message: told(faults), advice: 'Correct the call; factline new --help shows one.', details: { faults } });
    if (there.length > 0) throw new FactlineError({ code: 'new.exists', kind: 'conflict', message: told(faults), advice: 'Take another name, or go on with what is there.', details: { faults } });
  }

  /** Looks at everything as it shall be, and adds the generated types. @throws FactlineError `new.not-sound` (invalid) with all that `factline contracts check` would say of it. */
  async complete(): Promise<void> {
    this.refuse();
    const folders = { schemas: this.schemas, apps: APPS };
    const today = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
    const judge = (landscape: Landscape) => checkContracts(landscape, [], { today }).findings.filter(({ severity }) => severity !== 'info');
    const keyOf = ({ rule, fact, field, message }: ReturnType<typeof judge>[number]) => [rule, fact, field, message].join(' ');
    const known = new Set(judge(this.before).map(keyOf));
    const found = judge(await readLandscape(this.workspace, folders)).filter((finding) => !known.has(keyOf(finding)));
    const faults = found.map(({ rule, fact, field, message, advice }) => `${field ? `${fact}.${field}` : fact}: ${message} ${advice} (${rule})`);
    if (faults.length > 0) throw new FactlineError({ code: 'new.not-sound', kind: 'invalid', message: told(faults), advice: 'Ask for what factline contracts check takes; factline contracts explain <rule> says why.', details: { faults } });
    await regenerate(this.workspace, folders);
  }
}

function told(faults: readonly string[]): string {
  return `Nothing was written:${faults.map((fault) => `\n  ${fault}`).join('')}`;
}
