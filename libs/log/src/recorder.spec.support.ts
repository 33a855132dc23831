import type { Kept, LogRecord, OutgoingRecord, Position, RecordBatch, SubscriptionEvents } from './log.js';

export function numbered(from: number, to: number): OutgoingRecord[] {
  return Array.from({ length: to - from }, (_, i) => ({ key: Buffer.from(`key-${from + i}`), value: Buffer.from(`value-${from + i}`) }));
}

/** A subscriber that writes down what it is told, and answers positions from a table (0 for what is not in it), of this incarnation of the topic if one is given. */
export class Recorder implements SubscriptionEvents {
  readonly records: (LogRecord & { topic: string; partition: number; epoch: number })[] = [];
  readonly shares: { topic: string; partition: number }[][] = [];
  readonly outOfRanges: { position: Position; kept: Kept }[] = [];
  readonly failures: Error[] = [];
  recoveries = 0;
  /** Batches that came under an epoch that was over or not the last: must stay empty. */
  readonly stale: number[] = [];
  readonly gone = new Set<number>();
  epoch = 0;

  constructor(
    readonly positions: Record<string, number> = {},
    private readonly topicId?: string,
  ) {}

  async assigned(partitions: readonly { topic: string; partition: number }[], epoch: number): Promise<readonly Position[]> {
    if (epoch <= this.epoch) this.stale.push(epoch);
    this.epoch = epoch;
    this.shares.push([...partitions]);
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.positions[`${topic}/${partition}`] ?? 0, ...(this.topicId !== undefined && { topicId: this.topicId }) }));
  }

  revoked(epoch: number): void {
    this.gone.add(epoch);
  }

  batch({ topic, partition, records, nextOffset }: RecordBatch, epoch: number): void {
    if (epoch !== this.epoch || this.gone.has(epoch)) this.stale.push(epoch);
    for (const record of records) this.records.push({ ...record, topic, partition, epoch });
    this.positions[`${topic}/${partition}`] = nextOffset;
  }

  outOfRange(position: Position, kept: Kept): void {
    this.outOfRanges.push({ position, kept });
  }

  disturbed(error: Error): void {
    this.failures.push(error);
  }

  recovered(): void {
    this.recoveries++;
  }

  offsets(partition: number): number[] {
    return this.records.filter((record) => record.partition === partition).map(({ offset }) => offset);
  }

  get share(): number[] {
    return (this.shares.at(-1) ?? []).map(({ partition }) => partition).toSorted((a, b) => a - b);
  }
}
