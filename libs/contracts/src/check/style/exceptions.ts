import type { StyleException } from '../../settings.js';
import { plain } from '../finding.js';
import type { StyleRule } from '../rules/style.js';

/** What contracts.config.yaml excepts from the style rules, and which of it is needed. Asking costs the depth of the field. */
export class Exceptions {
  readonly #entries: ReadonlyMap<string, StyleException>;
  readonly #used = new Set<StyleException>();

  /** Of two entries for the same the later one counts; the other excepts nothing. */
  constructor(private readonly all: readonly StyleException[]) {
    this.#entries = new Map(all.map((entry) => [keyOf(entry.rule, entry.fact, plain(entry.field ?? '').split('.')), entry]));
  }

  /** An entry for a field covers what lies in it, one without a field all of the type. */
  cover(rule: StyleRule, fact: string, field: string): boolean {
    const steps = field === '' ? [] : plain(field).split('.');
    const entries = [[''], ...steps.map((_step, at) => steps.slice(0, at + 1))].flatMap((part) => this.#entries.get(keyOf(rule, fact, part)) ?? []);
    for (const entry of entries) this.#used.add(entry);
    return entries.length > 0;
  }

  unused(): StyleException[] {
    return this.all.filter((entry) => !this.#used.has(entry));
  }
}

function keyOf(rule: string, fact: string, steps: readonly string[]): string {
  return `${rule} ${fact} ${steps.join('.')}`;
}
