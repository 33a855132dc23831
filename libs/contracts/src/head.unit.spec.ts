import { factSchemaInSpec } from 'factline/testing';
import { FactDecoder, FactEncoder, defineFact, withSequence } from './index.js';

const topic = { name: 'spec.job', owner: 'spec', keyField: 'jobId', partitions: 1, kind: 'facts' as const, settings: {} };
const JobDone = defineFact<{ jobId: string }, 'jobId'>({ factName: 'spec.JobDone', topic, keyField: 'jobId', schema: factSchemaInSpec('spec.JobDone', [{ name: 'jobId', type: 'string' }]) });
const state = (correlationId: string, causationId: string, occurredAt: Date) => new FactEncoder().encode(JobDone('k', {}, { correlationId, causationId, occurredAt }), 4711);

it.each([1, 63, 64, 8_192, 2 ** 40])('reads the begin of fact number %d without its schema', (sequence) => {
  const occurredAt = new Date('1969-07-20T20:17:40Z');
  const { id, value } = state('Anfrage 7 ✓', 'x'.repeat(300), occurredAt);
  expect(FactDecoder.head(withSequence(value, sequence))).toEqual({ schemaId: 4711, id, sequence, occurredAt: occurredAt.getTime() * 1_000, correlationId: 'Anfrage 7 ✓', causationId: 'x'.repeat(300) });
});

it('refuses what ends inside its begin, and what is no fact', () => {
  const { value } = state('c', 'd', new Date(0));
  const whole = FactDecoder.head(value);
  expect(whole.sequence).toBe(0); // not published
  const headBytes = 5 + 16 + 1 + 1 + 2 + 2;
  expect(FactDecoder.head(value.subarray(0, headBytes))).toEqual(whole);
  for (let bytes = 0; bytes < headBytes; bytes++) expect(() => FactDecoder.head(value.subarray(0, bytes))).toThrow(expect.objectContaining({ code: 'fact.undecodable' }));
  expect(() => FactDecoder.head(null)).toThrow(expect.objectContaining({ code: 'fact.undecodable' }));
});
