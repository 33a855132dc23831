export type {
  FactLog,
  FollowOptions,
  Kept,
  KafkaLogOptions,
  LogRecord,
  OutgoingRecord,
  Position,
  Publisher,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  TopicSpec,
  TopicState,
} from './log.js';
export { kafkaLog } from './kafka/kafka-log.js';
export { type MemoryBroker, memoryBroker, memoryLog } from './memory/memory-log.js';
export { partitionOf } from './partition.js';
