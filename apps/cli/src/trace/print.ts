import type { Output } from '../output.js';
import type { Hop, HopState } from './hop.js';
import type { Committed, TracedFact } from './story.js';

const LABEL_CHARACTERS = 13;
const COLOURS: Readonly<Record<HopState, 'green' | 'dim' | 'red' | 'yellow'>> = { applied: 'green', 'passed-by': 'dim', waits: 'red', 'given-up': 'red', 'not-seen-yet': 'yellow', unknown: 'yellow' };
const WORDS: Readonly<Record<HopState, string>> = { applied: 'applied', 'passed-by': 'passed by', waits: 'waits', 'given-up': 'given up', 'not-seen-yet': 'not seen yet', unknown: 'unknown' };

/** The path of a fact for people, what it caused indented below it. */
export function factLines(output: Output, fact: TracedFact, depth = 0): string[] {
  const { id, name, key, sequence, correlationId, causationId, topic, committed, published, unpublished, traceparent, hops, caused } = fact;
  const indent = '    '.repeat(depth);
  const line = (label: string, text: string, ...colours: ('green' | 'dim' | 'red' | 'yellow')[]) => `${indent}  ${output.paint(label.padEnd(LABEL_CHARACTERS), ...colours)} ${text}`;
  return [
    `${indent}${output.paint(`${name}  ${key} #${sequence}`, 'bold')}  ${id}`,
    line('correlation', `${correlationId}${causationId === correlationId ? '' : `, caused by ${causationId}`}${traceparent === undefined ? '' : `, trace ${traceparent.split('-')[1]}`}`, 'dim'),
    line('committed', committedText(fact, committed), committed.outbox === 'waits' || committed.outbox === 'unknown' ? 'yellow' : 'green'),
    published ? line('published', `${topic}[${published.partition}] offset ${published.offset}, ${published.at.toISOString()}`, 'green') : line('published', `not seen yet: ${unpublished ?? 'nobody knows why'}`, 'yellow'),
    ...hops.map((hop) => line(WORDS[hop.state], hopText(hop), COLOURS[hop.state])),
    ...(caused.length > 0 ? [line('caused', `${caused.length} ${caused.length === 1 ? 'fact' : 'facts'}`)] : []),
    ...caused.flatMap((child) => factLines(output, child, depth + 1)),
  ];
}

function committedText({ statedAt }: TracedFact, { app, outbox, at, reason }: Committed): string {
  const when = at ? `${at.toISOString()} by ${app}` : `by ${app}, stated ${statedAt.toISOString()} by its id`;
  if (outbox === 'delivered') return `${when}; delivered`;
  if (outbox === 'left') return `${when}; its row has left the outbox, as delivered ones do`;
  return outbox === 'waits' ? `${when}; waits in the outbox: ${reason}` : `${when}; ${reason}`;
}

function hopText({ app, subscription, kind, generation, at, after, by, reason }: Hop): string {
  const who = `${app} ${subscription} (${kind}${generation === undefined ? '' : `, generation ${generation}`})`;
  const bounds = [after ? `after ${after.toISOString()}` : '', by ? `by ${by.toISOString()}` : ''].filter(Boolean).join(', ');
  const when = at ? at.toISOString() : bounds;
  return [who, when, reason ?? ''].filter(Boolean).join('  ');
}
