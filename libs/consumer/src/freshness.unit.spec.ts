import { memoryLog } from 'factline/log';
import { until } from 'factline/testing';
import { WATERMARK_TOPIC } from 'factline/contracts';
import { watermarks } from './consumer.spec.support.js';
import { Freshness, followWatermarks } from './index.js';
import { WATERMARKS_WAITING } from './limits.js';

const mark = (asOf: number, ...offsets: number[]) => ({ topic: 'a', asOf, epoch: 1, offsets });

let freshness: Freshness;
beforeEach(() => {
  freshness = new Freshness();
  freshness.track('a', 0, 0);
  freshness.track('a', 1, 0);
});

describe('as-of', () => {
  it('is unknown until a watermark comes, and then only as far as facts are applied', () => {
    expect(freshness.asOf()).toBeUndefined();
    freshness.observe(watermarks(mark(1_000, 5, 0)));
    expect([freshness.asOf('a', 0), freshness.asOf('a', 1), freshness.asOf('a')]).toEqual([undefined, 1_000, undefined]);
    freshness.applied('a', 0, 4);
    expect(freshness.asOf('a', 0)).toBeUndefined();
    freshness.applied('a', 0, 5);
    expect(freshness.asOf()).toBe(1_000);
  });

  it('rises with a new watermark and no fact: silence with watermarks means no change', () => {
    freshness.observe(watermarks(mark(1_000, 0, 0), mark(2_000, 0, 0)));
    expect(freshness.asOf()).toBe(2_000);
  });

  it('of several partitions and topics is the oldest, and unknown while one is', () => {
    freshness.observe(watermarks(mark(1_000, 0, 0)));
    freshness.observe(watermarks(mark(3_000, 0, 9)));
    expect([freshness.asOf('a', 0), freshness.asOf('a', 1), freshness.asOf()]).toEqual([3_000, 1_000, 1_000]);
    freshness.track('b', 0, 0);
    expect(freshness.asOf()).toBeUndefined();
    freshness.forget('b', 0);
    expect(freshness.asOf()).toBe(1_000);
  });

  it('never goes back, and a partition that is taken over again begins as unknown', () => {
    freshness.observe(watermarks(mark(2_000, 0, 0), mark(1_000, 0, 0)));
    expect(freshness.asOf()).toBe(2_000);
    freshness.track('a', 0, 0);
    expect(freshness.asOf()).toBeUndefined();
  });

  it('is not told by a watermark with a smaller offset than an earlier one had: its log has lost what was applied', () => {
    freshness.applied('a', 0, 9);
    freshness.observe(watermarks(mark(1_000, 9, 0), mark(2_000, 5, 0)));
    expect([freshness.asOf('a', 0), freshness.asOf('a', 1)]).toEqual([1_000, 2_000]);
    freshness.observe(watermarks(mark(3_000, 9, 0)));
    expect(freshness.asOf('a', 0)).toBe(3_000);
  });

  it('stands still once the log is another one, until the partition is tracked again', () => {
    freshness.observe(watermarks(mark(1_000, 0, 0)));
    freshness.freeze('a', 0);
    freshness.observe(watermarks(mark(2_000, 0, 0)));
    expect([freshness.asOf('a', 0), freshness.asOf('a', 1)]).toEqual([1_000, 2_000]);
    freshness.track('a', 0, 0);
    freshness.observe(watermarks(mark(3_000, 0, 0)));
    expect(freshness.asOf()).toBe(3_000);
  });

  it('takes each watermark that the position reaches, in order', () => {
    freshness.observe(watermarks(mark(1_000, 2, 0), mark(2_000, 4, 0), mark(3_000, 6, 0)));
    const seen = [1, 2, 3, 4, 5, 6].map((at) => {
      freshness.applied('a', 0, at);
      return freshness.asOf('a', 0);
    });
    expect(seen).toEqual([undefined, 1_000, 1_000, 2_000, 2_000, 3_000]);
  });

  it('keeps a bounded number of watermarks while facts are far behind, and still reaches the newest', () => {
    for (let i = 1; i <= 50 * WATERMARKS_WAITING; i++) freshness.observe(watermarks(mark(i, i, 0)));
    freshness.applied('a', 0, WATERMARKS_WAITING - 1);
    expect(freshness.asOf('a', 0)).toBe(WATERMARKS_WAITING - 1);
    freshness.applied('a', 0, 50 * WATERMARKS_WAITING - 1); // those between were not kept: older than it could be, never newer
    expect(freshness.asOf('a', 0)).toBe(WATERMARKS_WAITING - 1);
    freshness.applied('a', 0, 50 * WATERMARKS_WAITING);
    expect(freshness.asOf('a', 0)).toBe(50 * WATERMARKS_WAITING);
  });

  it('ignores topics and partitions that nobody follows here', () => {
    expect(freshness.observe(watermarks({ ...mark(1_000, 0), topic: 'other' }, mark(1_000, 0, 0, 0, 0)))).toBe(true);
    freshness.applied('other', 3, 1);
    expect(freshness.asOf('other')).toBeUndefined();
  });
});

describe('records that are no watermarks', () => {
  it.each([
    ['no JSON', Buffer.from('{')],
    ['no value', null],
    ['no object', 7],
    ['no topic', { asOf: 1, epoch: 1, offsets: [0] }],
    ['no time', { topic: 'a', epoch: 1, offsets: [0] }],
    ['a time that is none', { topic: 'a', asOf: '2026', epoch: 1, offsets: [0] }],
    ['no offsets', { topic: 'a', asOf: 1, epoch: 1 }],
    ['offsets that are none', { topic: 'a', asOf: 9_000, epoch: 1, offsets: [null, 'x'] }],
    ['negative offsets', { topic: 'a', asOf: 9_000, epoch: 1, offsets: [-1, -1] }],
  ])('%s: said, and without any effect', (_name, value) => {
    expect(freshness.observe(watermarks(value))).toBe(false);
    expect(freshness.asOf()).toBeUndefined();
    expect(freshness.observe(watermarks(value, mark(1_000, 0, 0)))).toBe(false);
    expect(freshness.asOf()).toBe(1_000);
  });
});

describe('following the watermark topic', () => {
  it('reads back what is there, goes on with what comes, warns of foreign records, and ends with its signal', async () => {
    const log = memoryLog();
    await log.createTopics([{ name: WATERMARK_TOPIC, partitions: 1 }]);
    const publisher = await log.publisher();
    const send = (value: unknown) => publisher.send(WATERMARK_TOPIC, 0, [{ key: Buffer.from('a'), value: Buffer.from(JSON.stringify(value)) }]);
    await send(mark(1_000, 0, 0));
    const warnings: string[] = [];
    const abort = new AbortController();
    const logger = { debug: () => undefined, info: () => undefined, error: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };
    const following = followWatermarks(log, freshness, abort.signal, logger);
    await until('what was there', () => freshness.asOf() === 1_000);
    await send('nonsense');
    await send(mark(2_000, 0, 0));
    await until('what came', () => freshness.asOf() === 2_000);
    expect(warnings).toHaveLength(1);
    abort.abort();
    await following;
    await log.close();
  });
});
