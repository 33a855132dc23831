import type { Command } from 'commander';

/** Commands that are registered together. */
export interface CommandGroup {
  readonly names: readonly string[];
  /** Brings the code of the commands, with all the packages that it needs. */
  load(): Promise<(parent: Command) => void | Promise<void>>;
}

/**
 * Registers the group of the command that is asked for, and no other: a check of contracts loads neither Kafka's client nor that of Postgres. Anything but the name of a command (help,
 * nothing, a misspelt one) needs them all, in order.
 */
export async function registerAsked(parent: Command, groups: readonly CommandGroup[], asked: string | undefined): Promise<void> {
  const group = groups.find(({ names }) => asked !== undefined && names.includes(asked));
  for (const { load } of group ? [group] : groups) {
    const register = await load();
    await register(parent);
  }
}
