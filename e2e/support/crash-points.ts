import { writeSync } from 'node:fs';

export interface At<Name> {
  name: Name;
  /** 1: the first time it is reached. */
  nth: number;
}

/** To be told of every point that is reached; acts at one of them. */
export function nthTime<Name>(at: At<Name> | undefined, act: () => void): (name: Name) => void {
  let times = 0;
  return (name) => {
    if (name === at?.name && ++times === at.nth) act();
  };
}

/** Straight to the pipe: nothing of it is lost in a buffer of this process. */
export function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Kill -9 from inside, at this very statement: no handler runs, nothing is flushed, the kernel closes the sockets. */
export function crashing<Name>(at: At<Name> | undefined): (name: Name) => void {
  return nthTime(at, () => {
    say({ reached: at!.name });
    process.kill(process.pid, 'SIGKILL');
  });
}
