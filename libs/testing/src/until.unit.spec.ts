import { until } from './index.js';

describe('until', () => {
  it('answers the first truthy value, at once when there is one', async () => {
    let looks = 0;
    expect(await until('three', async () => (++looks === 3 ? 'three' : ''))).toBe('three');
    expect(await until('now', () => 7, 0)).toBe(7);
    expect(looks).toBe(3);
  });

  it('says what it waited for and what it last saw', async () => {
    await expect(until('the moon', () => 0, 15)).rejects.toMatchObject({ code: 'testing.timeout', message: 'Waited 15 ms for the moon; last seen: 0.' });
  });

  it('passes an error of the look on, at once', async () => {
    await expect(until('x', () => Promise.reject(new RangeError('broken')))).rejects.toThrow(RangeError);
  });
});
