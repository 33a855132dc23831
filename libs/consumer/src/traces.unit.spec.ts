import { RecordingTracing } from 'factline/testing';
import { type Scene, TOPIC, factValue, scene, unavailable } from './consumer.spec.support.js';

const trace = (nth: number, flags = '01') => `00-${nth.toString(16).padStart(32, '0')}-${'b'.repeat(16)}-${flags}`;

let s: Scene;
let tracing: RecordingTracing;
beforeEach(async () => {
  s = await scene();
  tracing = new RecordingTracing();
});
afterEach(() => s.close());

async function publish(...traces: (string | undefined)[]): Promise<void> {
  const publisher = await s.log.publisher();
  await publisher.send(TOPIC, 0, traces.map((traceparent) => ({ key: Buffer.from('k'), value: factValue(), ...(traceparent && { headers: { traceparent: Buffer.from(traceparent) } }) })));
  await publisher.close();
}

it('a batch with facts of sampled traces is applied in one span, with a link to each of them', async () => {
  await publish(undefined, trace(1), trace(2), trace(1), trace(3, '00'));
  await s.settled(s.subscribe({ tracing }));
  expect(tracing.spans).toMatchObject([
    {
      name: `process ${TOPIC}`,
      parent: trace(1),
      links: [trace(1), trace(2)],
      failed: false,
      attributes: { 'messaging.batch.message_count': 5, 'messaging.kafka.offset': 0, 'messaging.destination.partition.id': '0', 'messaging.consumer.group.name': 'g', 'factline.generation': 1 },
    },
  ]);
});

it('unsampled traces leave nothing, and without a tracer nothing is looked at', async () => {
  await publish(undefined, trace(3, '00'));
  const subscription = s.subscribe({ tracing });
  await s.settled(subscription);
  tracing.records = false;
  await publish(trace(1));
  await s.settled(subscription);
  expect(tracing.spans).toEqual([]);
  tracing.records = true; // the control: it is this switch that decided
  await publish(trace(1));
  await s.settled(subscription);
  expect(tracing.spans).toHaveLength(1);
});

it('each attempt at a batch is a span, and a failed one says so', async () => {
  let failures = 1;
  s.target.before = () => {
    if (failures-- > 0) throw unavailable();
  };
  await publish(trace(1));
  await s.settled(s.subscribe({ tracing }));
  expect(tracing.spans.map(({ failed }) => failed)).toEqual([true, false]);
});
