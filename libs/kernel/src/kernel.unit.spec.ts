import { FactlineError, Lifecycle, Signal, backoffMs, formatId, milliseconds, newId, parseId } from './index.js';

describe('ids', () => {
  it('rise strictly, also within one millisecond and when the clock goes back', () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => newId(1_700_000_000_000 - (i > 5_000 ? 1_000 : 0)));
    for (let i = 1; i < ids.length; i++) expect(Buffer.compare(ids[i - 1]!, ids[i]!)).toBe(-1);
  });

  it('carry version 7, the variant and the time, and survive text', () => {
    const id = newId(4_000_000_000_000);
    expect(id[6]! >> 4).toBe(7);
    expect(id[8]! >> 6).toBe(0b10);
    expect(id.readUIntBE(0, 6)).toBe(4_000_000_000_000);
    expect(parseId(formatId(id))).toEqual(id);
    expect(() => parseId('e-1')).toThrow(FactlineError);
  });
});

describe('durations', () => {
  it.each([[250, 250], ['30s', 30_000], ['1.5m', 90_000], ['7d', 604_800_000]] as const)('%s is %d ms', (given, ms) => {
    expect(milliseconds(given)).toBe(ms);
  });

  it.each([Number.NaN, -1, '5 minutes', 'false', ''])('%s is refused', (given) => {
    expect(() => milliseconds(given as never)).toThrow(/not a duration/);
  });
});

describe('backoff', () => {
  it('grows to its maximum and stays within the jitter', () => {
    expect([1, 2, 3, 50].map((n) => backoffMs(n, { delay: 100, maxDelay: '1s', jitter: 0 }))).toEqual([100, 200, 400, 1_000]);
    expect(backoffMs(1, { delay: 100, jitter: 0.5 }, () => 0)).toBe(50);
  });
});

describe('signal', () => {
  it('keeps a notification that nobody waited for, once', async () => {
    const signal = new Signal();
    signal.notify();
    signal.notify();
    await signal.wait(1_000_000);
    const abort = AbortSignal.abort();
    await signal.wait(1_000_000, abort);
  });
});

describe('lifecycle', () => {
  it('stops in the opposite order, goes on after a failure, and once only', async () => {
    const stopped: string[] = [];
    const lifecycle = new Lifecycle();
    lifecycle.add('pool', () => void stopped.push('pool'));
    lifecycle.add('relay', () => Promise.reject(new Error('broken')));
    lifecycle.add('server', () => void stopped.push('server'));
    await Promise.all([lifecycle.stop(1_000), lifecycle.stop(1_000)]);
    expect(stopped).toEqual(['server', 'pool']);
  });

  it('names the part that missed the deadline', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.add('consumer', () => new Promise<void>(() => undefined));
    await expect(lifecycle.stop(5)).rejects.toThrow(/'consumer' did not stop within 5 ms/);
  });
});
