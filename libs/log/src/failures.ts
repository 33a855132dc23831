import { FactlineError } from 'factline/kernel';

/** The failures that both drivers know, each said one way. */

export function topicUnknown(topics: readonly string[]): FactlineError {
  return new FactlineError({
    code: 'log.topic-unknown',
    kind: 'not-found',
    message: `The topic ${topics.map((name) => `'${name}'`).join(', ')} does not exist.`,
    advice: 'Create it with createTopics, or check its name in topic.yaml.',
    details: { topics },
  });
}

export function partitionUnknown(topic: string, partition: number): FactlineError {
  return new FactlineError({
    code: 'log.partition-unknown',
    kind: 'not-found',
    message: `The topic '${topic}' has no partition ${partition}.`,
    advice: 'Ask describe for the partitions of the topic.',
    details: { topic, partition },
  });
}

export function outOfRange(topic: string, partition: number, offset: number, { start, end }: { start: number; end: number }): FactlineError {
  return new FactlineError({
    code: 'log.out-of-range',
    kind: 'integrity',
    message: `Offset ${offset} of '${topic}' partition ${partition} is not in the log, which has ${start} to ${end}.`,
    advice: 'Retention passed it, the tail was lost, or the topic was recreated: rebuild from a snapshot or from the start, never skip.',
    details: { topic, partition, offset, start, end },
  });
}

export function topicRecreated(topic: string, expected: string, found: string): FactlineError {
  return new FactlineError({
    code: 'log.topic-recreated',
    kind: 'integrity',
    message: `The topic '${topic}' was deleted and created again: offsets of the old one mean other records in it.`,
    advice: 'Describe it again and begin anew, if its history is complete.',
    details: { topic, expected, found },
  });
}

export function closed(what: string): FactlineError {
  return new FactlineError({
    code: 'log.closed',
    kind: 'internal',
    message: `The ${what} is closed.`,
    advice: 'Stop what uses the log before the log.',
  });
}

/** An argument that no retry can help. */
export function sendInvalid(message: string, advice: string): FactlineError {
  return new FactlineError({ code: 'log.send-invalid', kind: 'invalid', message, advice });
}
