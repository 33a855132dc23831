import { addressesFrom, cacheDirectory, stackEnvironment } from './env.js';

const complete = {
  FACTLINE_KAFKA: 'one:9092, two:9092',
  FACTLINE_REGISTRY_URL: 'http://registry:8080/apis/ccompat/v7/',
  FACTLINE_POSTGRES_URL: 'postgres://me:secret@db:5432/postgres',
};

describe('addresses from the environment', () => {
  it('are none when nothing is set, also when set to nothing', () => {
    expect(addressesFrom({})).toBeUndefined();
    expect(addressesFrom({ FACTLINE_KAFKA: '', FACTLINE_REGISTRY_URL: ' ' })).toBeUndefined();
  });

  it('are taken as given when all three are set, and survive a child process', () => {
    const addresses = addressesFrom(complete)!;
    expect(addresses.kafka).toEqual(['one:9092', 'two:9092']);
    expect(addresses.registryUrl).toBe('http://registry:8080/apis/ccompat/v7');
    expect(addressesFrom(stackEnvironment(addresses))).toEqual(addresses);
  });

  it.each(Object.keys(complete))('name %s when only that one is missing', (name) => {
    expect(() => addressesFrom({ ...complete, [name]: undefined })).toThrow(
      expect.objectContaining({ code: 'stack.environment', kind: 'configuration', details: { missing: [name] } }),
    );
  });

  it('report every malformed one at once and never a value', () => {
    const wrong = { FACTLINE_KAFKA: 'broker', FACTLINE_REGISTRY_URL: 'registry', FACTLINE_POSTGRES_URL: 'mysql://me:secret@db/x' };
    expect(() => addressesFrom(wrong)).toThrow(/FACTLINE_KAFKA.*FACTLINE_REGISTRY_URL.*FACTLINE_POSTGRES_URL/);
    expect(() => addressesFrom(wrong)).not.toThrow(/secret/);
  });
});

describe('the cache directory', () => {
  it.each([
    [{ FACTLINE_CACHE_DIR: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/c'],
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/factline'],
    [{ HOME: '/h' }, '/h/.cache/factline'],
  ])('of %j is %s', (env, expected) => {
    expect(cacheDirectory(env)).toBe(expected);
  });
});
