export { JobsController } from './jobs.controller.js';
export { CommandController, OnCommand } from './on-command.js';
export { provideCommands } from './provide.js';
