import { withSequence } from 'factline/contracts';
import { type FactLog, type OutgoingRecord, partitionOf } from 'factline/log';
import type { Store } from 'factline/store';

interface Row {
  id: string;
  key: string;
  sequence: string;
  value: Buffer;
}

/** BROKEN on purpose: publishes what has a higher id than the last one it saw. A transaction that drew its id earlier and commits later is never seen. */
export class IdCursorRelay {
  #last = 0;

  constructor(
    private readonly store: Store,
    private readonly log: FactLog,
    private readonly topic: string,
    private readonly partitions: number,
  ) {}

  async tick(): Promise<void> {
    const { rows } = await this.store.query<Row>('select id, key, sequence, value from factline.outbox where id > $1 and topic = $2 order by id', [this.#last, this.topic]);
    const lanes = new Map<number, OutgoingRecord[]>();
    for (const { id, key: name, sequence, value } of rows) {
      const key = Buffer.from(name);
      const partition = partitionOf(key, this.partitions);
      lanes.set(partition, [...(lanes.get(partition) ?? []), { key, value: withSequence(value, Number(sequence)) }]);
      this.#last = Number(id);
    }
    const publisher = await this.log.publisher();
    for (const [partition, records] of lanes) await publisher.send(this.topic, partition, records);
    await publisher.close();
  }
}
