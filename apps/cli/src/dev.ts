import { mkdir, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { startStack } from 'factline/stack';
import { hostApps } from './apps.js';
import { cancellation, type CommonOptions, exitWith } from './command.js';
import { loadConfig } from './config.js';

/** `factline dev`: the stack and every app of factline.config.json that has a main, until Ctrl-C. */
export function devCommand(program: Command): void {
  program
    .command('dev')
    .description('start Kafka, registry, Postgres and every app of factline.config.json; Ctrl-C stops them')
    .option('--root <folder>', 'where factline.config.json is (default: here)')
    .option('--json', 'print JSON lines')
    .action((options: CommonOptions) =>
      exitWith(options, async (output) => {
        const config = await loadConfig(options.root);
        const names = Object.keys(config.apps).filter((name) => config.apps[name]!.main);
        const { signal, release } = cancellation();
        const stack = await startStack({ progress: process.stderr });
        const host = await hostApps(config, stack, names);
        const environmentFile = resolve(config.root, '.factline', 'env');
        try {
          const apps = [];
          for (const name of names) apps.push(await host.start(name));
          await mkdir(resolve(config.root, '.factline'), { recursive: true });
          await writeFile(environmentFile, Object.entries(host.environment).map(([name, value]) => `export ${name}='${value}'\n`).join(''), { mode: 0o600 });
          output.print(
            { event: 'running', apps: apps.map(({ name, url, pid }) => ({ name, url, pid })) },
            ...apps.map(({ name, url, logFile }) => `${output.paint(name.padEnd(12), 'bold')} ${url}/docs   ${url}/health   log ${logFile}`),
            'The command line finds all of it by itself: try `npx factline outbox status --app hr` in another terminal. Ctrl-C stops everything.',
          );
          await new Promise<void>((stop) => (signal.aborted ? stop() : signal.addEventListener('abort', () => stop(), { once: true })));
        } finally {
          release();
          await rm(environmentFile, { force: true });
          await host.stopAll();
          await stack.stop();
        }
      }),
    );
}
