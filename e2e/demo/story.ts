import { FactlineError, messageOf } from 'factline/kernel';
import type { Mission } from '../support/mission.js';

/** One flow of the demo, with the apps it needs; it starts them itself, and they are stopped when it ends. */
export interface Chapter {
  readonly apps: readonly string[];
  tell(story: Story, mission: Mission): Promise<void>;
}

const paint = (code: number, text: string) => (process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Tells what is done, what was seen, and how long it took; a step that does not see what it must ends the demo. */
export class Story {
  readonly #started = performance.now();
  readonly #told: { title: string; seen: string; ms: number }[] = [];

  async step(title: string, run: (say: (text: string) => void) => Promise<string>): Promise<void> {
    const started = performance.now();
    process.stdout.write(`\n${paint(1, `${this.#told.length + 1}. ${title}`)}\n`);
    try {
      const seen = await run((text) => process.stdout.write(`   ${paint(2, text)}\n`));
      const ms = performance.now() - started;
      this.#told.push({ title, seen, ms });
      process.stdout.write(`   ${paint(32, 'seen')}  ${seen}   ${paint(2, seconds(ms))}\n`);
    } catch (error) {
      process.stdout.write(`   ${paint(31, 'NOT SEEN')}  ${messageOf(error)}\n`);
      throw error;
    }
  }

  summary(next: readonly string[]): void {
    process.stdout.write(`\n${paint(1, 'Summary')}   ${seconds(performance.now() - this.#started)} in all\n`);
    for (const { title, seen, ms } of this.#told) process.stdout.write(`   ${paint(32, '✓')} ${title}: ${seen} ${paint(2, seconds(ms))}\n`);
    process.stdout.write(`\n${paint(1, 'Try next')}\n${next.map((line) => `   ${line}\n`).join('')}`);
  }
}

/** @throws FactlineError when the demo did not show what it claims. */
export function must(condition: unknown, claim: string): asserts condition {
  if (condition) return;
  throw new FactlineError({ code: 'demo.not-seen', kind: 'internal', message: claim, advice: 'Read the logs in .factline/logs.' });
}

export function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
