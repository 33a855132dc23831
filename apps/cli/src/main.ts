#!/usr/bin/env node
import { Command } from 'commander';
import { contractsCommand } from './contracts/command.js';
import { devCommand } from './dev.js';
import { outboxCommands } from './outbox.js';
import { EXIT_CODES } from './output.js';
import { relayCommand } from './relay.js';
import { replayCommand } from './replay.js';
import { stackCommand } from './stack.js';
import { version } from './version.js';

const program = new Command('factline')
  .description('Facts from Postgres to Kafka, read models from Kafka to Postgres, and the way back to offset zero.')
  .version(version)
  .showHelpAfterError('(factline --help shows what there is)')
  .exitOverride((stop) => {
    process.exit(stop.exitCode === 0 ? 0 : EXIT_CODES.invalid);
  });

replayCommand(program);
outboxCommands(program);
relayCommand(program);
contractsCommand(program);
stackCommand(program);
devCommand(program);

await program.parseAsync();
