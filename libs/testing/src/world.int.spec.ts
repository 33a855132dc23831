import { Store } from 'factline/store';
import { world } from './index.js';

const elsewhere = async <T>(url: string, look: (store: Store) => Promise<T>): Promise<T> => {
  const store = new Store({ url, applicationName: 'world spec', connections: 1 });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
};

describe('a world', () => {
  it('gives fresh databases, stores, a log and topic names, and leaves nothing behind', async () => {
    const one = await world();
    const other = await world();
    expect(one.name).not.toBe(other.name);
    const url = await one.database('app');
    const store = one.store(url);
    await store.query(`create table kept (n integer); create role factline_replay_${one.name}_app; grant select on kept to factline_replay_${one.name}_app`);
    const log = one.log();
    const [topic, never] = [one.topic('made'), one.topic('never.made')];
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await one.close();
    const left = await elsewhere(one.postgresUrl, async (admin) => ({
      databases: (await admin.query('select from pg_database where datname like $1', [`${one.name}%`])).rowCount,
      roles: (await admin.query('select from pg_roles where rolname like $1', [`factline_replay_${one.name}%`])).rowCount,
      sessions: (await admin.query('select from pg_stat_activity where application_name like $1', [`${one.name}%`])).rowCount,
    }));
    expect(left).toEqual({ databases: 0, roles: 0, sessions: 0 });
    await expect(other.log().describe([topic])).rejects.toMatchObject({ code: 'log.topic-unknown' });
    await expect(other.log().describe([never])).rejects.toMatchObject({ code: 'log.topic-unknown' });
    await other.close();
  });

  it('closes last first, and the rest also when a part fails, which it says', async () => {
    const at = await world();
    const url = await at.database('app');
    const order: string[] = [];
    at.onClose(async () => order.push('first'));
    at.onClose(() => Promise.reject(new Error('stuck')));
    at.onClose(async () => order.push('last'));
    await expect(at.close()).rejects.toMatchObject({ errors: [expect.objectContaining({ message: 'stuck' })] });
    expect(order).toEqual(['last', 'first']);
    await expect(elsewhere(url, (store) => store.query('select 1'))).rejects.toMatchObject({ code: 'store.database-unknown' });
  });

  it('needs the addresses of a stack, and says which', async () => {
    await expect(world({ FACTLINE_KAFKA: 'somewhere:1' })).rejects.toMatchObject({ code: 'testing.no-stack', kind: 'configuration', message: expect.stringContaining('FACTLINE_POSTGRES_URL') });
  });
});
