import { type DeadLetter, inSequence } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { Tx } from 'factline/store';
import type { Inbox } from './inbox.js';

/** The code of a waiting fact that nobody wants handled any more, while facts before it still wait. */
export const GIVEN_UP = 'dead-letters.given-up';

/** Gives up these letters of a key whose letters are `all` that wait: at once those that are next, the others when what is before them has been handled. */
export async function giveUpOf(tx: Tx, inbox: Inbox, all: readonly DeadLetter[], meant: ReadonlySet<DeadLetter>): Promise<void> {
  let next = true;
  for (const letter of inSequence(all)) {
    const isMeant = meant.has(letter) || letter.code === GIVEN_UP;
    next &&= isMeant;
    if (next) await giveUp(tx, inbox, letter);
    else if (isMeant) await inbox.deadLetters.failed(tx, letter, new FactlineError({ code: GIVEN_UP, kind: 'refused', message: 'Given up; facts of its key before it wait still.' }));
  }
}

/** The key goes on behind it, or the fact after it would be taken for one behind a hole. */
export async function giveUp(tx: Tx, inbox: Inbox, letter: DeadLetter): Promise<void> {
  if (letter.sequence) await inbox.pass(tx, letter.topic, [{ key: letter.key, sequence: letter.sequence, factId: null }]);
  await inbox.deadLetters.remove(tx, [letter]);
}
