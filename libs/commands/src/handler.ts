import type { FactMeta } from 'factline/contracts';
import type { Logger } from 'factline/kernel';
import type { ReactionRun } from 'factline/reactions';
import type { Store, Tx } from 'factline/store';

/** What a handler may know of the run it is in. */
export interface CommandRun extends ReactionRun {
  /** The id that the sender got. */
  readonly job: string;
  /** Tells whoever waits how far it is: `share` from 0 to 1, and one line of text. Returns at once; written outside the transaction, at most every half second. */
  progress(share: number, text?: string): void;
}

/** A command as its handler gets it. `meta` is decoded when it is first read. */
export interface ReceivedCommand<Data extends object = object> {
  readonly name: string;
  /** The business key. */
  readonly key: string;
  /** The app that sent it. */
  readonly sender: string;
  readonly meta: FactMeta;
  readonly data: Data;
}

/**
 * Performs a command or refuses it (throws), in one transaction with the note that the job is done. What it returns is the job's result: JSON, 8 KiB at most.
 * Effects in this transaction happen once; effects outside of it may be repeated after a crash: give `run.job` along as an idempotency key.
 */
export type CommandHandler<Data extends object = object> = (command: ReceivedCommand<Data>, tx: Tx, run: CommandRun) => unknown;

/** What handling needs of the app. */
export interface HandlingParts {
  /** Name of the app that handles: the owner of the queue. */
  readonly app: string;
  /** For reports of progress: not the connections of the handlers. */
  readonly store: Store;
  readonly log: Logger;
}
