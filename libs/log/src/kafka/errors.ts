import { createRequire } from 'node:module';
import { FactlineError, messageOf } from 'factline/kernel';
import { topicUnknown } from '../failures.js';

const inner = createRequire(import.meta.url);
const { errorCodes } = inner('kafkajs/src/protocol/error') as { errorCodes: { type: string; code: number; message: string }[] };
/** What topic ids came with is younger than kafkajs's table. */
const nameByCode = new Map([...errorCodes.map(({ code, type }) => [code, type] as const), [100, 'UNKNOWN_TOPIC_ID'], [103, 'INCONSISTENT_TOPIC_ID']]);

/** Error codes of the protocol that this driver decides on. */
export const Code = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  invalidTopic: 17,
  recordListTooLarge: 18,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  topicAlreadyExists: 36,
  invalidRecord: 87,
} as const;

/** An error code that a broker answered for one thing, as an error with a decision in it. */
export function refusedByBroker(code: number, what: string, topic?: string): FactlineError {
  const name = nameByCode.get(code) ?? `error code ${code}`;
  const details = { brokerError: name, brokerCode: code, ...(topic === undefined ? {} : { topic }) };
  switch (code) {
    case Code.unknownTopicOrPartition:
      return topicUnknown([topic ?? what]);
    case Code.messageTooLarge:
    case Code.recordListTooLarge:
      return new FactlineError({
        code: 'log.record-too-large',
        kind: 'invalid',
        message: `${what} was refused: larger than the topic's max.message.bytes.`,
        advice: 'Send fewer records at a time; a single record that is too large must become smaller.',
        details,
      });
    case Code.invalidRecord:
    case Code.invalidTopic:
      return new FactlineError({
        code: 'log.send-invalid',
        kind: 'invalid',
        message: `${what} was refused by the broker: ${name}.`,
        advice: 'Check the topic name and the topic settings (a compacted topic refuses records without a key).',
        details,
      });
    case Code.topicAuthorizationFailed:
    case Code.groupAuthorizationFailed:
    case Code.clusterAuthorizationFailed:
      return new FactlineError({
        code: 'log.unauthorized',
        kind: 'unavailable',
        message: `${what} was refused by the broker: ${name}.`,
        advice: 'Grant the principal of this client access (kafka-acls).',
        details,
      });
    default:
      return new FactlineError({
        code: 'log.unavailable',
        kind: 'unavailable',
        message: `${what} failed at the broker: ${name}.`,
        advice: 'Check the brokers and their logs; a retry helps once a leader and enough in-sync replicas are back.',
        details,
      });
  }
}

/** Anything thrown below this driver, wrapped once. */
export function wrapped(thrown: unknown, what: string): FactlineError {
  if (thrown instanceof FactlineError) return thrown;
  const { name, type, code } = thrown as { name?: string; type?: string; code?: unknown };
  if (typeof code === 'number' && typeof type === 'string') return refusedByBroker(code, what);
  if (name === 'KafkaJSSASLAuthenticationError') {
    return new FactlineError({
      code: 'log.unauthorized',
      kind: 'unavailable',
      message: `${what} failed: the broker did not accept our credentials.`,
      advice: 'Check the sasl settings and the password of the principal.',
      cause: thrown,
    });
  }
  return new FactlineError({
    code: 'log.unavailable',
    kind: 'unavailable',
    message: `${what} failed: ${messageOf(thrown)}.`,
    advice: 'Check that the brokers run and that their advertised addresses are reachable from here.',
    cause: thrown,
  });
}

/** The broker's own name of the failure, if it answered one: `REBALANCE_IN_PROGRESS`. */
export function brokerErrorOf(thrown: unknown): string | undefined {
  if (thrown instanceof FactlineError) return thrown.details['brokerError'] as string | undefined;
  return (thrown as { type?: string }).type;
}

/** Bytes that a broker keeps and that are not what they should be. */
export function unreadable(reason: string): FactlineError {
  return new FactlineError({
    code: 'log.batch-unreadable',
    kind: 'integrity',
    message: `A record batch cannot be read: ${reason}.`,
    advice: 'Check the disks of the brokers (kafka-dump-log --deep-iteration) and restore the partition from a replica.',
  });
}
