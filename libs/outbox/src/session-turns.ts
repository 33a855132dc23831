import type { Session } from 'factline/store';

/** A session does one thing at a time; the heartbeat, the next page and the progress take turns in the order they ask. */
export class SessionTurns {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly session: Session) {}

  get lost(): boolean {
    return this.session.lost;
  }

  take<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => work(this.session));
    this.#last = turn.catch(() => undefined); // told to the one who asked; the next one finds out for itself
    return turn;
  }
}
