import { type FactLog } from 'factline/log';
import { pause } from 'factline/kernel';
import type { Store } from 'factline/store';
import { sharedNow } from './processes/child.js';

const LOOK_EVERY_MS = 1.5;

/** Sees facts arrive on the topic and rows in the read model, as somebody outside does; keeps the first time of each key. */
export class Observer {
  readonly onTopic = new Map<string, number>();
  readonly readable = new Map<string, number>();
  readonly #end = new AbortController();
  readonly #wanted = new Set<string>();
  readonly #loops: Promise<void>[] = [];
  readonly #failures: string[] = [];

  constructor(log: FactLog, topic: string, partitions: number, store?: Store) {
    for (let partition = 0; partition < partitions; partition++) this.#loops.push(this.#follow(log, topic, partition));
    if (store) this.#loops.push(this.#look(store));
  }

  /** Begins to look for this key's row. */
  want(key: string): void {
    this.#wanted.add(key);
  }

  get waiting(): number {
    return this.#wanted.size;
  }

  async stop(): Promise<string[]> {
    this.#end.abort();
    await Promise.all(this.#loops);
    return this.#failures;
  }

  #follow(log: FactLog, topic: string, partition: number): Promise<void> {
    return log.follow({
      topic,
      partition,
      from: { offset: 0 },
      abort: this.#end.signal,
      disturbed: (error) => this.#failures.push(error.message),
      batch: ({ records }) => {
        const now = sharedNow();
        for (const { key } of records) {
          const name = key.toString();
          if (!this.onTopic.has(name)) this.onTopic.set(name, now);
        }
      },
    });
  }

  /** One query for all wanted keys at a time; the time is when the answer has come. */
  async #look(store: Store): Promise<void> {
    while (!this.#end.signal.aborted) {
      if (this.#wanted.size > 0) {
        const { rows } = await store.query<{ key: string }>('select employee_id as key from payees.payees where employee_id = any($1)', [[...this.#wanted]], 'look');
        const now = sharedNow();
        for (const { key } of rows) {
          this.#wanted.delete(key);
          this.readable.set(key, now);
        }
      }
      await pause(LOOK_EVERY_MS, this.#end.signal);
    }
  }
}
