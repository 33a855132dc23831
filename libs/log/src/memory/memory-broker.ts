import { randomBytes } from 'node:crypto';
import { type Clock, FactlineError, systemClock } from 'factline/kernel';
import { partitionUnknown, sendInvalid, topicUnknown } from '../failures.js';
import { MEMORY_BATCH_RECORDS, MEMORY_RECORDS_PER_PARTITION_MAX, SEND_RECORDS_MAX } from '../limits.js';
import type { Kept, LogRecord, OutgoingRecord, Position, RecordBatch, TopicSpec, TopicState } from '../log.js';

export interface StoredPartition {
  start: number;
  end: number;
  /** In order, possibly with holes. */
  records: LogRecord[];
}

export interface StoredTopic {
  id: string;
  partitions: StoredPartition[];
}

/** A subscription, as the broker sees it. */
export interface GroupMember {
  readonly topics: readonly string[];
  assign(share: readonly { topic: string; partition: number }[]): void;
}

/**
 * A broker in this process, for tests and samples: topics with ids, partitions, and groups that share partitions out. Several `memoryLog`s may use one.
 * The methods up to `committed` are the switches a test turns; the rest is for the drivers.
 */
export class MemoryBroker {
  readonly #topics = new Map<string, StoredTopic>();
  readonly #groups = new Map<string, Set<GroupMember>>();
  readonly #committed = new Map<string, Map<string, number>>();
  readonly #watchers = new Set<() => void>();
  readonly #failures: { stored: boolean }[] = [];

  constructor(private readonly clock: Clock = systemClock) {}

  /** The next send is rejected; `stored`: the records are in the log nevertheless, as when only the answer was lost. */
  failNextSend({ stored = false }: { stored?: boolean } = {}): void {
    this.#failures.push({ stored });
  }

  /** The tail from `end` on is lost, as after an unclean election. */
  truncate(topic: string, partition: number, end: number): void {
    const stored = this.partition(topic, partition);
    stored.records = stored.records.filter(({ offset }) => offset < end);
    stored.end = end;
    this.#changed();
  }

  /** Retention deletes what is before `start`. */
  retainFrom(topic: string, partition: number, start: number): void {
    const stored = this.partition(topic, partition);
    stored.records = stored.records.filter(({ offset }) => offset >= start);
    stored.start = start;
    stored.end = Math.max(stored.end, start);
    this.#changed();
  }

  /** Offsets without records at the end, as an aborted transaction leaves them. */
  leaveHole(topic: string, partition: number, offsets: number): void {
    this.partition(topic, partition).end += offsets;
    this.#changed();
  }

  /** The topic is deleted and created again, empty, with another id. */
  recreate(topic: string): void {
    const { partitions } = this.topic(topic);
    this.#topics.set(topic, newTopic(partitions.length));
    this.#changed();
  }

  /** All members of the group get new assignments. */
  rebalance(group: string): void {
    const members = [...(this.#groups.get(group) ?? [])];
    for (const [member, share] of this.#shareOut(members)) member.assign(share);
  }

  /** What members reported as a hint, by `topic/partition`. */
  committed(group: string): ReadonlyMap<string, number> {
    return this.#committed.get(group) ?? new Map();
  }

  create(specs: readonly TopicSpec[]): void {
    for (const { name, partitions } of specs) if (!this.#topics.has(name)) this.#topics.set(name, newTopic(partitions));
    for (const [group, members] of this.#groups) {
      if (specs.some(({ name }) => [...members].some(({ topics }) => topics.includes(name)))) this.rebalance(group);
    }
  }

  delete(names: readonly string[]): void {
    for (const name of names) this.#topics.delete(name);
    this.#changed();
  }

  describe(names: readonly string[]): TopicState[] {
    const missing = names.filter((name) => !this.#topics.has(name));
    if (missing.length > 0) throw topicUnknown(missing);
    return names.map((name) => {
      const { id, partitions } = this.topic(name);
      return { name, id, partitions: partitions.map(({ start, end }) => ({ start, end })) };
    });
  }

  append(topic: string, partition: number, records: readonly OutgoingRecord[]): number {
    const stored = this.partition(topic, partition);
    requireSendable(records, stored);
    const failure = this.#failures.shift();
    const baseOffset = stored.end;
    if (!failure || failure.stored) {
      const timestamp = this.clock.now();
      for (const { key, value, headers } of records) {
        stored.records.push({ offset: stored.end++, key: Buffer.from(key), value: Buffer.from(value), timestamp, ...(headers ? { headers } : {}) });
      }
      this.#changed();
    }
    if (failure) {
      throw new FactlineError({
        code: 'log.unavailable',
        kind: 'unavailable',
        message: `A send to '${topic}' partition ${partition} failed.`,
        advice: 'Send the same records again; whether they were stored is unknown.',
      });
    }
    return baseOffset;
  }

  /** The next records of a partition below `to`, or nothing when there are none. */
  next(topic: string, partition: number, from: number, to: number): RecordBatch | undefined {
    const { records, end } = this.partition(topic, partition);
    const until = Math.min(to, end);
    if (from >= until) return undefined;
    const first = indexAt(records, from);
    const slice: LogRecord[] = [];
    for (let i = first; i < records.length && slice.length < MEMORY_BATCH_RECORDS && records[i]!.offset < until; i++) slice.push(records[i]!);
    const behind = records[first + slice.length];
    return { topic, partition, records: slice, nextOffset: Math.min(behind?.offset ?? until, until), endOffset: end };
  }

  topic(name: string): StoredTopic {
    const topic = this.#topics.get(name);
    if (!topic) throw topicUnknown([name]);
    return topic;
  }

  partition(topic: string, partition: number): StoredPartition {
    const stored = this.topic(topic).partitions[partition];
    if (!stored) throw partitionUnknown(topic, partition);
    return stored;
  }

  kept(topic: string, partition: number): Kept {
    const { start, end } = this.partition(topic, partition);
    return { topicId: this.topic(topic).id, start, end };
  }

  /** Whether something can be read there, now or when it is appended. */
  has({ topic, partition, offset, topicId }: Position): boolean {
    const kept = this.kept(topic, partition);
    return offset >= kept.start && offset <= kept.end && (topicId === undefined || topicId === kept.topicId);
  }

  /** Calls back after every change, until the answer is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  join(group: string, member: GroupMember): void {
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, members.add(member));
    this.rebalance(group);
  }

  leave(group: string, member: GroupMember): void {
    this.#groups.get(group)?.delete(member);
    this.rebalance(group);
  }

  commit(group: string, positions: readonly Position[]): void {
    const committed = this.#committed.get(group) ?? new Map<string, number>();
    this.#committed.set(group, committed);
    for (const { topic, partition, offset } of positions) committed.set(`${topic}/${partition}`, offset);
  }

  #shareOut(members: readonly GroupMember[]): Map<GroupMember, { topic: string; partition: number }[]> {
    const shares = new Map(members.map((member) => [member, [] as { topic: string; partition: number }[]]));
    for (const topic of [...new Set(members.flatMap(({ topics }) => topics))].sort()) {
      const interested = members.filter(({ topics }) => topics.includes(topic));
      const count = this.#topics.get(topic)?.partitions.length ?? 0;
      for (let partition = 0; partition < count; partition++) shares.get(interested[partition % interested.length]!)!.push({ topic, partition });
    }
    return shares;
  }

  #changed(): void {
    for (const changed of this.#watchers) changed();
  }
}

function newTopic(partitions: number): StoredTopic {
  return { id: randomBytes(16).toString('base64url'), partitions: Array.from({ length: partitions }, () => ({ start: 0, end: 0, records: [] })) };
}

function requireSendable(records: readonly OutgoingRecord[], stored: StoredPartition): void {
  if (records.length === 0) throw sendInvalid('A send has no records.', 'Leave the call out.');
  if (records.length > SEND_RECORDS_MAX) throw sendInvalid(`A send has ${records.length} records, more than ${SEND_RECORDS_MAX}.`, 'Split it.');
  const keyless = records.findIndex(({ key }) => key.length === 0);
  if (keyless >= 0) throw sendInvalid(`Record ${keyless} of a send has an empty key.`, 'Give the id of the entity as the key: facts are in order per key only.');
  if (stored.records.length + records.length > MEMORY_RECORDS_PER_PARTITION_MAX) {
    throw sendInvalid(`A memory partition would have more than ${MEMORY_RECORDS_PER_PARTITION_MAX} records.`, 'Use Kafka for this much.');
  }
}

/** The first record at or behind `offset`. */
function indexAt(records: readonly LogRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
