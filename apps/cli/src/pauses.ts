import type { Command } from 'commander';
import { type Pause, Pauses } from 'factline/consumer';
import { Store } from 'factline/store';
import { type CommonOptions, exitWith } from './command.js';
import { appOf, databaseUrlOf, loadConfig } from './config.js';

interface PauseOptions extends CommonOptions {
  app: string;
  by: string;
}

/** `factline pause` and `factline resume`: a read model or reactions stand still, in every process and after every restart, until somebody says otherwise. */
export function pauseCommands(program: Command): void {
  const command = (name: string, description: string) =>
    program
      .command(`${name} <subscription>`)
      .description(description)
      .requiredOption('--app <name>', 'the app whose read model or reactions it is, as named in factline.config.json')
      .requiredOption('--by <who>', 'who answers for it')
      .option('--root <folder>', 'where factline.config.json is (default: here)')
      .option('--json', 'print JSON');
  command('pause', 'let a read model or reactions stand still; they stay in their group, and nothing is lost')
    .requiredOption('--reason <text>', 'why; /health shows it')
    .action((name: string, options: PauseOptions & { reason: string }) => say(options, 'paused', (pauses) => pauses.pause(name, options), () => `'${name}' is paused: every process of ${options.app} holds it within about a second. To end it: factline resume ${name} --app ${options.app} --by ${options.by}`));
  command('resume', 'let a paused read model or reactions go on')
    .action((name: string, options: PauseOptions) => say(options, 'resumed', (pauses) => pauses.resume(name, options), ({ by, since, reason }) => `'${name}' goes on within about a second; ${by} had paused it since ${since.toISOString()}: ${reason}`));
}

function say(options: PauseOptions, event: string, run: (pauses: Pauses) => Promise<Pause>, line: (pause: Pause) => string): Promise<void> {
  return exitWith(options, async (output) => {
    const config = await loadConfig(options.root);
    const store = new Store({ url: await databaseUrlOf(config, appOf(config, options.app)), applicationName: 'factline cli', connections: 1 });
    try {
      const pause = await run(new Pauses(store));
      output.print({ event, app: options.app, ...pause }, line(pause));
    } finally {
      await store.close();
    }
  });
}
