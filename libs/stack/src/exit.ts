import type { StackRecord } from './record.js';
import { removeSync } from './sweep.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Removes the stack when this process exits without having stopped it. Returns how to call that off.
 * A signal ends the process here only if nobody else handles it: an app that stops in order ends with an exit of its own.
 */
export function stopAtExit(cache: string, record: StackRecord): () => void {
  const onExit = () => removeSync(cache, record);
  const onSignal = (name: NodeJS.Signals) => {
    if (process.listenerCount(name) > 1) return;
    release();
    onExit();
    process.kill(process.pid, name);
  };
  const release = () => {
    process.off('exit', onExit);
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  process.on('exit', onExit);
  for (const name of SIGNALS) process.on(name, onSignal);
  return release;
}
