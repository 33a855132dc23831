export { EventStream } from '../http/event-stream.js';
export { JobsController, shownJob } from './jobs.controller.js';
export { CommandController, OnCommand } from './on-command.js';
export { provideCommands } from './provide.js';
