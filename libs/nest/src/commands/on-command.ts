import { Controller } from '@nestjs/common';
import type { CommandQueueOptions, CommandRun, HandlingOptions, ReceivedCommand } from 'factline/commands';
import type { SelectedCommand } from 'factline/contracts';
import type { Tx } from 'factline/store';
import { type MethodOf, handlerOf } from '../reactions/on-fact.js';

const queues = new WeakMap<object, CommandQueueOptions>();

/** Of a controller class; undefined when it is not decorated. */
export function queueOf(controller: object): CommandQueueOptions | undefined {
  return queues.get(controller);
}

/**
 * A controller whose methods perform the commands of one queue (`@OnCommand`), which this app owns. Guards, pipes, interceptors and filters work as on a `@ReactionController`;
 * a guard that says no makes the job fail.
 */
export function CommandController(options: CommandQueueOptions): ClassDecorator {
  return (target) => {
    queues.set(target, options);
    Controller()(target);
  };
}

type CommandMethod<Data extends object> = (command: ReceivedCommand<Data>, tx: Tx, run: CommandRun) => unknown;

/**
 * `send(command, tx, run)`: performs a command or throws, in one transaction with the note that its job is done; what it returns is the job's result.
 * @param handling of the whole queue, said here or at the controller: a second method that says something else is refused at start.
 */
export function OnCommand<Data extends object>(command: SelectedCommand<Data>, handling: HandlingOptions = {}): MethodOf<CommandMethod<Data>> {
  return handlerOf(command, undefined, handling);
}
