import { type CommandHandler, type CommandQueue, type HandlingOptions, commandQueue } from 'factline/commands';
import type { SelectedCommand } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { queueOf } from './on-command.js';

/** The handlers of one `@CommandController`, as Nest binds them one by one. What methods say of the handling is said of the queue: a key's commands share one lane. */
export class CommandHandlers {
  readonly #handlers: (readonly [SelectedCommand, CommandHandler])[] = [];
  #options;

  /** @throws FactlineError `nest.command-controller` (configuration). */
  constructor(
    private readonly controller: object,
    method: string,
  ) {
    const options = queueOf(controller);
    if (!options) throw undecorated(controller, method);
    this.#options = options;
  }

  /** @throws FactlineError `nest.command-options` (configuration). */
  add(command: SelectedCommand, handling: HandlingOptions, handler: CommandHandler): void {
    for (const name of Object.keys(handling) as (keyof HandlingOptions)[]) {
      const before = this.#options[name];
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(handling[name])) throw differ(this.controller, name);
    }
    this.#options = { ...this.#options, ...handling };
    this.#handlers.push([command, handler]);
  }

  queue(): CommandQueue {
    const made = commandQueue(this.#options);
    for (const [command, handler] of this.#handlers) made.on(command, handler);
    return made;
  }
}

/** A controller whose handlers were never bound would perform nothing, silently. @throws FactlineError `nest.commands-unconnected` (configuration). */
export function refuseSilent(controllers: readonly object[], made: ReadonlyMap<object, unknown>): void {
  const silent = controllers.find((controller) => queueOf(controller) && !made.has(controller));
  if (!silent) return;
  throw new FactlineError({
    code: 'nest.commands-unconnected',
    kind: 'configuration',
    message: `${nameOf(silent)} is a @CommandController, and none of its methods is bound to a command.`,
    advice: 'Decorate a method with @OnCommand; in an app that is not started by startService, call connectFacts(app) of factline/nest/reactions before app.listen().',
  });
}

function undecorated(controller: object, method: string): FactlineError {
  return new FactlineError({
    code: 'nest.command-controller',
    kind: 'configuration',
    message: `${nameOf(controller)}.${method} handles commands, and ${nameOf(controller)} does not say of which queue.`,
    advice: "Decorate the class with @CommandController({ queue: '...' }) instead of @Controller().",
  });
}

function differ(controller: object, option: string): FactlineError {
  return new FactlineError({
    code: 'nest.command-options',
    kind: 'configuration',
    message: `${nameOf(controller)} says two things about '${option}'.`,
    advice: 'It is said of the queue, not of a command: say it once, or move the command to a queue of its own.',
  });
}

function nameOf(controller: object): string {
  return (controller as { name: string }).name;
}
