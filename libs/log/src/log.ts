import type { Duration, Logger } from 'factline/kernel';

/** A place in the log. Offsets are numbers: exact up to 2^53, which at a million facts a second is 285 years. */
export interface Position {
  topic: string;
  partition: number;
  /** The next record to read. */
  offset: number;
  /** The incarnation of the topic that the offset belongs to (`TopicState.id`): in no other is anything read. Default: the one that is there. */
  topicId?: string;
}

/** What the log has of a partition now. */
export interface Kept {
  topicId: string;
  /** First offset still kept. */
  start: number;
  /** Next offset to be written (last stable offset). */
  end: number;
}

export interface TopicSpec {
  name: string;
  partitions: number;
  /** Copies of each partition. Default: the broker's default. */
  replicas?: number;
  /** Broker settings by their Kafka names, for example `retention.ms`. */
  settings?: Readonly<Record<string, string>>;
}

export interface TopicState {
  name: string;
  /** The broker's id of this incarnation of the topic: a deleted and recreated topic has another. */
  id: string;
  /** By partition number, without holes. */
  partitions: { /** First offset still kept. */ start: number; /** Next offset to be written (last stable offset). */ end: number }[];
}

export interface LogRecord {
  offset: number;
  key: Buffer;
  /** null only in a topic that allows deletion. */
  value: Buffer | null;
  /** The broker's append time, milliseconds. */
  timestamp: number;
  headers?: Readonly<Record<string, Buffer>>;
}

/** Consecutive records of one partition, in order. Offsets may have holes (aborted transactions, compaction). */
export interface RecordBatch {
  topic: string;
  partition: number;
  /** None when all that was fetched is a hole: the position moves all the same. Keys and values are views of one large buffer: copy what is kept for long. */
  records: readonly LogRecord[];
  /** The offset behind everything this batch covers, holes at its end included: the next position once it is handled. */
  nextOffset: number;
  /** End of the partition when this was fetched. */
  endOffset: number;
}

export interface OutgoingRecord {
  key: Buffer;
  value: Buffer;
  headers?: Readonly<Record<string, Buffer>>;
}

export interface Publisher {
  /**
   * Appends records to one partition, in order, acknowledged by all in-sync replicas.
   * Promised: when it resolves, this partition answered without error and `baseOffset` is the offset of the first record.
   * Not promised after a rejection: whether the records were stored (unknown, not failed). The publisher has then replaced its client, so the
   * same records may be sent again before anything else (tulios/kafkajs#1303, #598: a reused client may acknowledge what it never sent).
   * One call at a time per partition; partitions may be sent in parallel.
   * @throws FactlineError `log.send-invalid`, `log.record-too-large` (invalid: the same records can never be stored), `log.topic-unknown`,
   * `log.partition-unknown` (not-found), `log.unavailable`, `log.unacknowledged`, `log.unauthorized` (unavailable: send again).
   */
  send(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<{ baseOffset: number }>;
  close(): Promise<void>;
}

/** What a subscriber is told. None of these may throw; `assigned` is asked again when it does, and a batch that threw comes again. */
export interface SubscriptionEvents {
  /**
   * Partitions are ours from now on, in the whole set (not a difference). Answer where to read each from: the log never decides that itself.
   * `epoch` rises with each assignment; batches carry the epoch they were fetched under, and a batch of an older epoch is never delivered.
   */
  assigned(partitions: readonly { topic: string; partition: number }[], epoch: number): Promise<readonly Position[]>;
  /** The assignment is over: work in flight may no longer be ours. The database decides (compare-and-set), this is a hint to stop early. */
  revoked(epoch: number): void;
  /** A batch to take over. Must return at once; slow work goes to a queue, and `pause` bounds the queue. */
  batch(batch: RecordBatch, epoch: number): void;
  /** The position is not in the log, or the topic is another one, deleted and created again since: `kept` says what is there. The partition stays unread. */
  outOfRange(position: Position, kept: Kept): void;
  /** The client failed and is being rebuilt; `attempt` counts since the last success. */
  disturbed(error: Error, attempt: number): void;
  /** A partition is read again after a failure, whether or not it has anything new. A failure of the group ends with `assigned` instead. */
  recovered(epoch: number): void;
}

export interface SubscribeOptions {
  /** Kafka consumer group, used exactly as given. */
  group: string;
  topics: readonly string[];
  events: SubscriptionEvents;
  /** Longest wait of the broker for new records. Default 250 ms: stop and seek wait for it. */
  fetchWait?: Duration;
  /** Bytes a partition may deliver in one fetch. Default in limits.ts. */
  fetchBytesPerPartition?: number;
}

export interface Subscription {
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** Commits positions to the group, as a hint for lag tools only; a failure is reported through `disturbed`, never thrown. */
  report(positions: readonly Position[]): Promise<void>;
  /** Leaves the group; no `batch` is called after it resolves. */
  stop(): Promise<void>;
}

export interface ReadOptions {
  topic: string;
  /** The incarnation that the ranges belong to. Default: the one that is there when reading begins; records of another are never mixed in. */
  topicId?: string;
  /** Which parts to read: from `from` up to but not including `to`. */
  ranges: readonly { partition: number; from: number; to: number }[];
  /** Called in order per partition, one at a time in all; the next fetch runs meanwhile. */
  batch(batch: RecordBatch): void | Promise<void>;
  abort?: AbortSignal;
}

export interface FollowOptions {
  topic: string;
  partition: number;
  /** Where to begin: an offset, of this incarnation of the topic if one is named, or so many records before the end (0 = only what comes). */
  from: { offset: number; topicId?: string } | { beforeEnd: number };
  batch(batch: RecordBatch): void | Promise<void>;
  /**
   * Told of each failure; following goes on by itself with backoff. A batch that threw comes again. When the position is no longer in the log
   * (`log.out-of-range`), or the topic is another one, it goes on at the nearest end of what is there.
   */
  disturbed(error: Error): void;
  abort: AbortSignal;
}

/** The port to the log. Drivers: `kafkaLog`, `memoryLog`; both pass one suite (log.suite.spec.support.ts). */
export interface FactLog {
  /** Creates what is missing and leaves what exists alone: a partition count never changes under keyed facts. Resolves when leaders are known. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
  /** @throws FactlineError `log.topic-unknown` (not-found) when one does not exist. */
  describe(topics: readonly string[]): Promise<TopicState[]>;
  /**
   * By partition: the offset of the first record that carries this time or a later one; where there is none, the end. Records of one partition are assumed to carry rising times,
   * which is so where the broker gives them.
   * @throws FactlineError `log.topic-unknown` (not-found).
   */
  offsetsAt(topic: string, timeMs: number): Promise<number[]>;
  publisher(): Promise<Publisher>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /**
   * Reads history without a consumer group: nobody's position moves, nothing rebalances.
   * Resolves when every range is read to its end; holes at the end of a range count as read.
   * @throws FactlineError `log.out-of-range` (integrity) when a range begins before the kept history or ends behind the log;
   * `log.topic-recreated` (integrity) when the topic is another one than `topicId`, or becomes another one;
   * `log.batch-unreadable` (integrity) for broken bytes; what `batch` threw; the reason of the abort.
   */
  read(options: ReadOptions): Promise<void>;
  /** Follows one partition without a group until aborted; resolves then. */
  follow(options: FollowOptions): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaLogOptions {
  brokers: readonly string[];
  clientId: string;
  ssl?: boolean | object;
  sasl?: object;
  connectionTimeout?: Duration;
  requestTimeout?: Duration;
  log?: Logger;
}
