import type { FactDecoder, ReceivedFact } from 'factline/contracts';
import { messageOf } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import { type DeadLetter, readRecords } from './dead-letter.js';

/** A waiting fact as its app reads it: what it selects, or why it cannot be read; neither when the app does not select it. */
export class ReadLetter {
  constructor(
    readonly letter: DeadLetter,
    readonly fact: ReceivedFact | undefined,
    readonly unreadable: string | undefined,
    /** Of reactions: what is handled in its place. */
    readonly edited?: object,
  ) {}

  withEdit(edited: object | undefined): ReadLetter {
    return new ReadLetter(this.letter, this.fact, this.unreadable, edited);
  }

  /** For programs: flat, and of the fact what a person who repairs it looks at. */
  toJSON(): object {
    const { letter, fact, unreadable, edited } = this;
    return { ...letter, fact: fact && { name: fact.name, data: fact.data, sequence: fact.meta.sequence }, unreadable, edited };
  }
}

/** Reads waiting facts from the log, in the order given. One that cannot be read, or that the log has no more, says why. @throws what is away. */
export async function readLetters(letters: readonly DeadLetter[], log: FactLog, decoder: FactDecoder): Promise<ReadLetter[]> {
  const records = await readRecords(log, letters);
  await decoder.prepare(decoder.unprepared([...records.all()].map(({ value }) => value)));
  return letters.map((letter) => {
    try {
      return new ReadLetter(letter, decoder.decode(letter.key, records.of(letter)?.value ?? null), undefined);
    } catch (error) {
      return new ReadLetter(letter, undefined, messageOf(error));
    }
  });
}
