export { Commands, type CommandsOptions, type Priority, type SendOptions, type SentCommand } from './commands.js';
export { defineCommand, selectCommand } from './define.js';
export type { CommandHandler, CommandRun, HandlingParts, ReceivedCommand } from './handler.js';
export { type JobProblem, type JobStatus, isFinal } from './job-status.js';
export { Jobs } from './jobs.js';
export { migrateCommands } from './migrations.js';
export { CommandQueue, type CommandQueueOptions, type HandlingOptions, commandQueue } from './queue.js';
