import type { Exchange } from './exchange.js';
import { Reader, Writer } from './wire.js';

export interface TopicView {
  name: string;
  /** The id of this incarnation, as Kafka's tools print it (URL-safe base64). */
  id: string;
  errorCode: number;
  partitions: { partition: number; errorCode: number; leader: number }[];
}

export interface ClusterView {
  brokers: { id: number; host: string; port: number }[];
  controller: number;
  topics: TopicView[];
}

/**
 * Metadata, version 10: the first that tells topic ids (KIP-516; kafkajs stops at 6). A flexible version (KIP-482): tagged-fields bytes
 * close both headers and every structure, and lengths are one more than they say.
 */
export function metadataRequest(topics: readonly string[]): Exchange<ClusterView> {
  const body = new Writer();
  body.unsignedVarint(0); // tags of the header
  body.unsignedVarint(topics.length + 1);
  for (const name of topics) body.id(NO_ID).compactString(name).unsignedVarint(0);
  body.int8(0); // never create a topic by asking for it
  body.int8(0).int8(0); // no lists of permitted operations
  body.unsignedVarint(0);
  return { api: 3, version: 10, name: 'Metadata', body: body.buffer, read: readMetadata };
}

/** All zero: the topic is asked for by its name. */
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

function readMetadata(payload: Buffer): ClusterView {
  const from = new Reader(payload);
  from.skipTags();
  from.int32(); // throttle time
  const brokers = from.compactArray(() => {
    const broker = { id: from.int32(), host: from.compactString() ?? '', port: from.int32() };
    from.compactString(); // rack
    from.skipTags();
    return broker;
  });
  from.compactString(); // cluster id
  const controller = from.int32();
  const topics = from.compactArray(() => readTopic(from));
  return { brokers, controller, topics };
}

function readTopic(from: Reader): TopicView {
  const errorCode = from.int16();
  const name = from.compactString() ?? '';
  const id = from.id();
  from.int8(); // internal
  const partitions = from.compactArray(() => {
    const partition = { errorCode: from.int16(), partition: from.int32(), leader: from.int32() };
    from.int32(); // leader epoch
    for (let lists = 0; lists < 3; lists++) from.compactArray(() => from.int32()); // replicas: all, in sync, offline
    from.skipTags();
    return partition;
  });
  from.int32(); // permitted operations
  from.skipTags();
  return { name, id, errorCode, partitions };
}
