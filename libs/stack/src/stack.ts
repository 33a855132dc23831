import { FactlineError } from 'factline/kernel';
import type { Environment, StackAddresses } from './env.js';
import type { StackPart } from './part.js';
import type { ProgressListener } from './progress.js';

/** Kafka, a schema registry and Postgres that serve. */
export interface Stack extends StackAddresses {
  readonly source: 'environment' | 'docker' | 'packages';
  /** Only of a stack from packages (ask for it with `from: 'packages'`): elsewhere the services are not ours to stop one by one. */
  readonly parts?: StackParts;
  /** Ends what this call started and deletes its data; twice is once. Does nothing to services from the environment or to a reused stack. */
  stop(): Promise<void>;
}

export interface StackParts {
  /** All brokers as one. */
  readonly kafka: StackPart;
  readonly brokers: readonly StackPart[];
  readonly registry: StackPart;
  readonly postgres: StackPart;
}

export interface StackOptions {
  /** Default 1. Three keep topics with two in-sync replicas, and serve on when one is killed. Only from packages. */
  readonly brokers?: 1 | 3;
  /** Where they listen, on loopback. Default: free ports between 20000 and 31999. */
  readonly ports?: { readonly kafka?: readonly number[]; readonly registry?: number; readonly postgres?: number };
  /** What Kafka tells clients to connect to, one `host:port` a broker: the address of a fault proxy in front of it. */
  readonly advertisedKafka?: readonly string[];
  /** More broker properties, as in server.properties; they win over the stack's own. */
  readonly kafka?: Readonly<Record<string, string>>;
  /** More server settings, as in postgresql.conf; they win over the stack's own. */
  readonly postgres?: Readonly<Record<string, string>>;
  /** Gets told what takes long: a function, or a stream for one line a statement. Default: nobody. */
  readonly progress?: ProgressListener | { write(text: string): unknown };
  /** The stack outlives this process, until `stopStack`. Default false. */
  readonly detached?: boolean;
  /** Which detached stack; default `default`. */
  readonly name?: string;
  /** Use the detached stack of that name if it is healthy, instead of starting one. Its `stop` then does nothing. Default false. */
  readonly reuse?: boolean;
  /** Leave out the other ways. Default: environment, then Docker, then packages. */
  readonly from?: 'docker' | 'packages';
  readonly env?: Environment;
}

/** What the ways to start a stack have in common. */
export interface StackStart {
  readonly options: StackOptions;
  readonly env: Environment;
  readonly cache: string;
  readonly listener: ProgressListener;
}

/** A name is a file name and a word on the command line. */
export function stackName(name: string | undefined): string {
  if (name === undefined) return 'default';
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name;
  throw new FactlineError({
    code: 'stack.name',
    kind: 'invalid',
    message: `'${name}' cannot be the name of a stack.`,
    advice: 'Use up to 32 lower case letters, digits and hyphens, a letter first.',
  });
}
