#!/usr/bin/env node
import { Command } from 'commander';
import { type CommandGroup, registerAsked } from './asked.js';
import { EXIT_CODES } from './output.js';
import { version } from './version.js';

const [asked, askedOfContracts] = process.argv.slice(2);

/** In the order of the help. */
const GROUPS: readonly CommandGroup[] = [
  { names: ['replay'], load: async () => (await import('./replay.js')).replayCommand },
  { names: ['dead-letters'], load: async () => (await import('./dead-letters.js')).deadLetterCommands },
  { names: ['pause', 'resume'], load: async () => (await import('./pauses.js')).pauseCommands },
  { names: ['outbox', 'migrate'], load: async () => (await import('./outbox.js')).outboxCommands },
  { names: ['trace'], load: async () => (await import('./trace/command.js')).traceCommand },
  { names: ['relay'], load: async () => (await import('./relay.js')).relayCommand },
  { names: ['contracts'], load: async () => (await import('./contracts/command.js')).contractsCommand(askedOfContracts) },
  { names: ['new'], load: async () => (await import('./new/command.js')).newCommand },
  { names: ['stack'], load: async () => (await import('./stack.js')).stackCommand },
  { names: ['dev'], load: async () => (await import('./dev.js')).devCommand },
  { names: ['--version', '-V'], load: async () => () => undefined }, // the program itself answers
];

const program = new Command('factline')
  .description('Facts from Postgres to Kafka, read models from Kafka to Postgres, and the way back to offset zero.')
  .version(version)
  .showHelpAfterError('(factline --help shows what there is)')
  .exitOverride((stop) => {
    process.exit(stop.exitCode === 0 ? 0 : EXIT_CODES.invalid);
  });

await registerAsked(program, GROUPS, asked);
await program.parseAsync();
