import { factSpan, noTracing, sampledTrace, sampledTraces } from './index.js';
import { SPAN_LINKS } from './limits.js';

const trace = (nth: number, flags = '01') => `00-${nth.toString(16).padStart(32, '0')}-${nth.toString(16).padStart(16, '0')}-${flags}`;

it.each([
  ['a sampled one', trace(7), trace(7)],
  ['bytes of a header', Buffer.from(trace(7)), trace(7)],
  ['a later version, cut to what is known', `cc${trace(7).slice(2)}-more`, `cc${trace(7).slice(2)}`],
  ['other flags beside the sampled one', trace(7, '03'), trace(7, '03')],
  ['one that is not sampled', trace(7, '00'), undefined],
  ['one whose other flags are set', trace(7, '02'), undefined],
  ['an impossible version', `ff${trace(7).slice(2)}`, undefined],
  ['trace id zero', trace(0), undefined],
  ['upper case', trace(0xab).toUpperCase(), undefined],
  ['more behind version 00 than a dash', `${trace(7)}x`, undefined],
  ['text', 'robots; drop table', undefined],
  ['nothing', undefined, undefined],
  ['no bytes', Buffer.alloc(0), undefined],
])('reads %s', (_what, header, expected) => {
  expect(sampledTrace(header)).toBe(expected);
});

it('gathers each sampled trace once, in order, and stops where spans have room for no more', () => {
  expect(sampledTraces([trace(2), null, trace(1), trace(2), trace(3, '00'), Buffer.from(trace(1))])).toEqual([trace(2), trace(1)]);
  let asked = 0;
  const endless = (function* () {
    for (;;) yield trace(++asked);
  })();
  expect(sampledTraces(endless)).toHaveLength(SPAN_LINKS);
  expect(asked).toBe(SPAN_LINKS);
});

it('describes work on facts by the semantic conventions, and continues the first of the traces it is linked to', () => {
  expect(factSpan({ operation: 'process', topic: 'hr.employee', partition: 3, offset: 17, facts: 2, group: 'payroll.payees', generation: 1, traces: [trace(1), trace(2)] })).toEqual({
    name: 'process hr.employee',
    kind: 'consumer',
    parent: trace(1),
    links: [trace(1), trace(2)],
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.batch.message_count': 2,
      'messaging.destination.name': 'hr.employee',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 17,
      'messaging.consumer.group.name': 'payroll.payees',
      'factline.generation': 1,
    },
  });
  expect(factSpan({ operation: 'send', facts: 9, traces: [trace(1)] })).toMatchObject({ name: 'send', kind: 'producer' });
});

it('without a tracer work is done as if nobody looked', async () => {
  expect(noTracing.records).toBe(false);
  expect(noTracing.current()).toBeUndefined();
  expect(await noTracing.span(factSpan({ operation: 'send', facts: 1, traces: [trace(1)] }), async (traceparent) => ['done', traceparent])).toEqual(['done', undefined]);
  await expect(noTracing.span(factSpan({ operation: 'send', facts: 1, traces: [] }), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
