import { type Rate, TokenBucket } from 'factline/admission';
import type { ReceivedFact, SelectedCommand, SelectedFact } from 'factline/contracts';
import { type Duration, FactlineError, milliseconds, pause } from 'factline/kernel';
import { type Reactions, type RetryOptions, reactions } from 'factline/reactions';
import type { BacklogOptions } from './backlog.js';
import type { CommandHandler, HandlingParts } from './handler.js';
import { PACE_MAX_MS } from './limits.js';
import { runJob } from './run-job.js';
import { subscriptionOf } from './subscription-name.js';

/** How commands of a queue are handled. */
export interface HandlingOptions {
  /** Handlers that run at once in a process; each holds a database connection. Default 8. */
  concurrency?: number;
  /** Commands of different keys that share a transaction, 1 by default: as for reactions, only for handlers without effects outside the database. */
  together?: number;
  /** Default 30 s. */
  timeout?: Duration;
  retry?: RetryOptions;
  /** Commands handled by all processes together: `{ count: 100, per: '1m' }`, one every 10 s at least. Attempts count, and so does a cancelled one when its turn comes. */
  rate?: Rate;
}

export interface CommandQueueOptions extends HandlingOptions {
  /** The topic, of kind `commands`, that this app owns: `notifications.mail`. */
  queue: string;
  /** What becomes of further commands when too many wait. Default: they wait too. */
  backlog?: BacklogOptions;
}

interface Entry {
  readonly command: SelectedCommand;
  readonly handler: CommandHandler;
}

/** What `commandQueue()` makes: one queue and its handlers. */
export class CommandQueue {
  readonly #handlers = new Map<string, Entry>();
  #bucket: TokenBucket | undefined;
  readonly queue: string;
  /** The subscription of reactions that handles it: `factline dead-letters list <name>`. */
  readonly name: string;

  constructor(readonly options: CommandQueueOptions) {
    this.queue = options.queue;
    this.name = subscriptionOf(options.queue);
  }

  /** What performs commands of this type. @throws FactlineError `command.queue-invalid` (configuration) for a second handler, or a command of another queue. */
  on<Data extends object>(command: SelectedCommand<Data>, handler: CommandHandler<Data>): this {
    const { factName, topic } = command;
    if (topic !== this.queue) throw invalid(this.queue, `${factName} lies on '${topic}'`, 'Handle each queue in a controller of its own.');
    if (this.#handlers.has(factName)) throw invalid(this.queue, `'${factName}' has two handlers`, 'Write one: a command is performed once.');
    this.#handlers.set(factName, { command, handler: handler as CommandHandler });
    return this;
  }

  /**
   * The subscription that handles the queue, to be run by `LiveReactions`.
   * @throws FactlineError `command.not-owner`, `reaction.invalid` (configuration).
   */
  reactions(parts: HandlingParts): Reactions {
    const { queue: _queue, backlog: _backlog, rate, ...options } = this.options;
    const made = reactions({ ...options, name: this.name, from: 'beginning', ...(rate && { pace: this.#pacer(rate, parts) }) });
    for (const { command, handler } of this.#handlers.values()) {
      if (command.owner !== parts.app) throw notOwner(command, parts.app);
      made.on(asFact(command), (fact: ReceivedFact, tx, run) => runJob({ queue: this.queue, handler, parts }, fact, tx, run));
    }
    return made;
  }

  /** Ends the keeping of the rate; after the subscription has stopped. */
  async close(): Promise<void> {
    await this.#bucket?.close();
  }

  #pacer(rate: Rate, { store, log }: HandlingParts): (commands: number, stop: AbortSignal) => Promise<void> {
    const { together = 1 } = this.options;
    if (milliseconds(rate.per) / rate.count > PACE_MAX_MS) throw invalid(this.queue, `its rate is below one command in ${PACE_MAX_MS} ms`, 'Send them at their times instead: commands.schedule, or notBefore.');
    if (together > rate.count) throw invalid(this.queue, '`together` is more than the count of the rate', 'Lower it, or count per a longer time.');
    const bucket = (this.#bucket = new TokenBucket({ store, name: 'commands', rate, whenUnavailable: 'closed', log }));
    return async (commands, stop) => {
      while (!stop.aborted) {
        const taken = await bucket.take(this.queue, commands);
        if (taken.granted) return;
        await pause(taken.retryAfterMs, stop);
      }
    };
  }
}

/**
 * Declares who performs the commands of a queue. Promised: commands that one app sent for one key are handled in their order, each in effect once, also through retries; a
 * command that fails for good blocks its key and nothing else; one that was cancelled is never handled after the cancel was answered.
 * Not promised: order between keys, or between the commands that two apps send for one key; that an effect outside the database happens once.
 */
export function commandQueue(options: CommandQueueOptions): CommandQueue {
  const { queue, backlog } = options;
  if (backlog && !(Number.isSafeInteger(backlog.limit) && backlog.limit > 0)) throw invalid(queue, '`backlog.limit` is not a whole number from 1', 'Say how many jobs may wait.');
  if (backlog && !['refuse-low-priority', 'shed', 'later'].includes(backlog.past)) throw invalid(queue, "`backlog.past` is none of 'refuse-low-priority', 'shed' and 'later'", 'Say what happens past the limit.');
  return new CommandQueue(options);
}

function asFact({ factName, topic, schema, fingerprint, contract }: SelectedCommand): SelectedFact {
  return { factName, topic, schema, fingerprint, contract };
}

function invalid(queue: string, fault: string, advice: string): FactlineError {
  return new FactlineError({ code: 'command.queue-invalid', kind: 'configuration', message: `The queue '${queue}' cannot be handled: ${fault}.`, advice });
}

function notOwner({ factName, topic, owner }: SelectedCommand, app: string): FactlineError {
  return new FactlineError({
    code: 'command.not-owner',
    kind: 'configuration',
    message: `${factName} lies on the queue '${topic}', which '${owner}' handles, not '${app}'.`,
    advice: 'A command has one handler, its owner: send the command, or consume the facts that the owner states about it.',
  });
}
