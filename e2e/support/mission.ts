import { spawn } from 'node:child_process';
import { type Stack, startStack } from 'factline/stack';
import { type AppHost, hostApps } from '../../apps/cli/src/apps.js';
import { type FactlineConfig, loadConfig } from '../../apps/cli/src/config.js';
import { CLI, ROOT } from './root.js';

/** A stack of its own, and this repository's apps on it. */
export interface Mission {
  stack: Stack;
  config: FactlineConfig;
  host: AppHost;
  /** Runs `factline ...` and answers its exit code and output; `echo` prints it as it comes. */
  factline(args: readonly string[], options?: { echo?: boolean }): Promise<{ code: number; output: string }>;
  close(): Promise<void>;
}

export async function startMission(apps: readonly string[], progress?: { write(text: string): unknown }): Promise<Mission> {
  const stack = await startStack({ from: 'packages', ...(progress && { progress }) });
  const config = await loadConfig(ROOT);
  const host = await hostApps(config, stack, apps).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  return {
    stack,
    config,
    host,
    factline: (args, { echo = false } = {}) => runCommand(args, host.environment, echo),
    close: async () => {
      await host.stopAll();
      await stack.stop();
    },
  };
}

function runCommand(args: readonly string[], environment: Readonly<Record<string, string>>, echo: boolean): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (text: Buffer) => {
    output += text.toString();
    if (echo) process.stdout.write(text.toString().replaceAll(/^(?=.)/gm, '   │ '));
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ code: code ?? -1, output }));
  });
}
