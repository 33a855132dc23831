import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of the benchmark: what must not share an event loop with the one that measures. */
export interface Child<Result> {
  /** When it says that it works. */
  ready: Promise<void>;
  /** Asks it to end. @returns its result. */
  finish(): Promise<Result>;
  /** What it answers, by itself or when asked to end. */
  result: Promise<Result>;
  /** When the process is gone. */
  ended: Promise<unknown>;
}

type Message<Result> = { type: 'ready' } | { type: 'event'; event: unknown } | { type: 'result'; result: Result } | { type: 'failed'; error: string };

const STOP_WAIT_MS = 10_000;

/** Starts a script beside this file; it ends with this process, at the latest. */
export function startChild<Result>(script: string, argument: object, onEvent: (event: never) => void = () => undefined): Child<Result> {
  const child = fork(new URL(`./${script}.js`, import.meta.url), [JSON.stringify(argument)], { stdio: ['ignore', 2, 2, 'ipc'], serialization: 'advanced' });
  const ended = once(child, 'exit');
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const result = new Promise<Result>((resolve, reject) => {
    child.on('message', (message: Message<Result>) => {
      if (message.type === 'ready') isReady();
      else if (message.type === 'event') onEvent(message.event as never);
      else if (message.type === 'result') resolve(message.result);
      else reject(new Error(`${script}: ${message.error}`));
    });
    child.on('exit', (code, signal) => reject(new Error(`${script} ended with ${signal ?? code} before it answered`)));
  });
  const begun = Promise.race([ready, result.then(() => undefined)]);
  for (const promise of [begun, result]) promise.catch(() => undefined); // met by whoever awaits it; a rejection before that is not unhandled
  return {
    ready: begun,
    result,
    ended,
    finish: async () => {
      if (child.connected) child.send('finish', () => undefined); // one that ended meanwhile has said why
      try {
        return await result;
      } finally {
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
        await ended;
        clearTimeout(late);
      }
    },
  };
}

export interface ChildSide {
  ready(): void;
  tell(event: unknown): void;
  /** Resolves when the parent asks to end, or is gone. */
  finished: Promise<void>;
}

/** Runs the work of a child process and answers its result to the parent. */
export async function serveChild<Argument, Result>(work: (argument: Argument, side: ChildSide) => Promise<Result>): Promise<void> {
  const send = (message: Message<Result>) =>
    new Promise<void>((resolve) => {
      if (process.connected) process.send!(message, () => resolve());
      else resolve();
    });
  const finished = new Promise<void>((resolve) => {
    process.on('message', () => resolve());
    process.on('disconnect', () => resolve());
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
  });
  try {
    const side: ChildSide = { ready: () => void send({ type: 'ready' }), tell: (event) => void send({ type: 'event', event }), finished };
    const result = await work(JSON.parse(process.argv[2]!) as Argument, side);
    await send({ type: 'result', result });
  } catch (error) {
    await send({ type: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exit(1); // what the work opened may try for ever to reach a stack that is gone
  }
  if (process.connected) process.disconnect();
}

/** Milliseconds of a clock that all processes of this machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
