import { Output } from './output.js';

/** Options that every command has. */
export interface CommonOptions {
  root?: string;
  json?: boolean;
}

/** Runs one command: its answer is the exit code, and what it throws is told once, in one form. */
export async function exitWith(options: CommonOptions, run: (output: Output) => Promise<number | void>): Promise<void> {
  const output = new Output(options.json ?? false);
  try {
    process.exitCode = (await run(output)) ?? 0;
  } catch (error) {
    process.exitCode = output.fail(error);
  }
}

/** Aborts on the first SIGINT or SIGTERM; a second one ends the process at once, as people expect. */
export function cancellation(): { signal: AbortSignal; release: () => void } {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once('SIGINT', cancel);
  process.once('SIGTERM', cancel);
  return {
    signal: abort.signal,
    release: () => {
      process.off('SIGINT', cancel);
      process.off('SIGTERM', cancel);
    },
  };
}
