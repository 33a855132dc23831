import { pause } from 'factline/kernel';
import type { Fact, FactDefinition } from 'factline/contracts';
import type { FactOutbox } from 'factline/outbox';
import type { Store, Tx } from 'factline/store';
import { EmployeeMoved } from '../../apps/hr/src/contracts.generated.js';
import type { CommittedFact } from './effect-once.js';

const KEYS = 8;
/** Transactions of one wave: about 25 committed facts, so five pages of five. */
const WAVE = 15;
const ROLLED_BACK_EVERY = 3;
/** Time between two transactions of the writer: a relay or consumer that is watched for two seconds sees about a hundred. */
const PACE = 20;
/** About 8 s, four times what a killed process lives for: the caller finds that one was not killed, and must not read half a minute of facts then. */
const WRITES_AT_MOST = 300;

const abandoned = new Error('rolled back on purpose');

/** States facts of a few keys, and remembers what was committed: nothing else decides what a topic and a table must hold. */
export class Ledger {
  readonly committed: CommittedFact[] = [];
  rolledBack = 0;
  #transactions = 0;
  #facts = 0;

  constructor(
    private readonly store: Store,
    private readonly outbox: FactOutbox,
    private readonly type: FactDefinition,
  ) {}

  /** Several transactions of one to four facts each, one after another; every third is rolled back. */
  async wave(transactions: number = WAVE): Promise<void> {
    for (let done = 0; done < transactions; done++) await this.#transact();
  }

  /** Goes on with single transactions until told to end, or until it has gone on for too long to end by itself. */
  async write(ended: () => boolean, atMost: number = WRITES_AT_MOST): Promise<void> {
    for (let done = 0; done < atMost && !ended(); done++) {
      await this.#transact();
      await pause(PACE);
    }
  }

  /** A transaction that has stated a fact of a key of its own and stays open. @returns what commits it. */
  async hold(): Promise<() => Promise<void>> {
    const session = await this.store.session();
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    let ending!: Promise<CommittedFact>;
    await new Promise<void>((stated, failed) => {
      ending = session.transaction(async (tx) => {
        const fact = await this.#state(tx, 'held');
        stated();
        await released;
        return fact;
      });
      ending.catch(failed);
    });
    return async () => {
      release();
      this.committed.push(await ending);
      await session.close();
    };
  }

  async #transact(): Promise<void> {
    const number = ++this.#transactions;
    const facts = 1 + (number % 4);
    try {
      const stated = await this.store.transaction(async (tx) => {
        const done: CommittedFact[] = [];
        for (let at = 0; at < facts; at++) done.push(await this.#state(tx, `k${(number * 3 + at) % KEYS}`));
        if (number % ROLLED_BACK_EVERY === 0) throw abandoned;
        return done;
      });
      this.committed.push(...stated);
    } catch (error) {
      if (error !== abandoned) throw error;
      this.rolledBack += facts;
    }
  }

  /** No two facts have the same amount, so that one applied twice never makes up for one that was skipped. */
  async #state(tx: Tx, key: string): Promise<CommittedFact> {
    const cents = ++this.#facts ** 2;
    const fact: Fact = { ...EmployeeMoved(key, { location: 'BER', salaryCents: cents }), type: this.type };
    const { sequence, id } = await this.outbox.add(tx, fact);
    return { key, sequence, id: id.replaceAll('-', ''), cents };
  }
}
