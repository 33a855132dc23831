import { Output } from './output.js';

/** Options that every command has. */
export interface CommonOptions {
  root?: string;
  json?: boolean;
}

/** Values of `--format` that a program reads. */
const FOR_PROGRAMS = new Set(['json', 'sarif', 'junit']);

/** Runs one command: its answer is the exit code, and what it throws is told once, in one form: as JSON where a program reads the result. */
export async function exitWith({ json = false, format = 'text' }: CommonOptions & { format?: string }, run: (output: Output) => Promise<number | void>): Promise<void> {
  const output = new Output(json, process.stdout, json || FOR_PROGRAMS.has(format));
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
