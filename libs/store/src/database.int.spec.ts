import fc from 'fast-check';
import { Store, identifier, migrate, migrateSchemaMemory, schemaMemory } from './index.js';
import { type TestStore, testStore } from './store.spec.support.js';

let t: TestStore;
let store: Store;
beforeAll(async () => {
  t = await testStore();
  store = t.store;
});
afterAll(() => t.at.close());

const storeWith = (change: (url: URL) => void) => {
  const url = new URL(t.url);
  change(url);
  return new Store({ url: url.href, applicationName: t.at.name });
};

describe('errors', () => {
  const failing = async (sql: string, values: unknown[] = []) => store.query(sql, values).then(() => 'no error', (error: unknown) => error);

  it.each([
    ['a disk that fails', "do $$ begin raise exception 'could not fsync' using errcode = '58030'; end $$", [], { code: 'store.unavailable', kind: 'unavailable', retry: true, details: { sqlState: '58030' } }],
    ['a broken unique key', "insert into account values ('x', 1), ('x', 1)", [], { code: 'store.constraint', kind: 'conflict', retry: false, details: { constraint: 'account_pkey', table: 'account', sqlState: '23505' } }],
    ['a broken check', "insert into account values ('y', -1)", [], { code: 'store.constraint', kind: 'conflict', details: { constraint: 'account_cents_check' } }],
    ['NUL in text', 'select $1::text', ['a\0b'], { code: 'store.value', kind: 'invalid' }],
    ['a number that does not fit', 'select $1::integer', ['3000000000'], { code: 'store.value', kind: 'invalid' }],
    ['an unknown table', 'select * from nothing_here', [], { code: 'store.table-unknown', kind: 'configuration', advice: expect.stringContaining('migrate') }],
    ['bad SQL', 'selekt 1', [], { code: 'store.statement', kind: 'internal', retry: false }],
  ])('%s', async (_name, sql, values, expected) => {
    expect(await failing(sql, values)).toMatchObject(expected);
  });

  it('a lock that is not given in time', async () => {
    const waiting = store.transaction(async (holder) => {
      await holder.query('lock table account');
      await t.other.transaction(async (tx) => {
        await tx.query("set local lock_timeout = '10ms'");
        await tx.query('lock table account');
      });
    });
    await expect(waiting).rejects.toMatchObject({ code: 'store.locked', kind: 'unavailable', retry: true });
  });

  it('a missing privilege', async () => {
    const role = `${t.at.name}_reader`;
    await store.query(`create role ${role}`);
    const reader = new Store({ url: t.url, applicationName: t.at.name, role });
    try {
      await expect(reader.query('select * from account')).rejects.toMatchObject({ code: 'store.forbidden', kind: 'refused' });
      const session = await reader.session();
      await expect(session.query('select * from account')).rejects.toMatchObject({ code: 'store.forbidden' });
      await session.close();
    } finally {
      await reader.close();
      await store.query(`drop role ${role}`);
    }
  });

  it.each([
    ['no server', (url: URL) => void (url.port = '1'), { code: 'store.unavailable', kind: 'unavailable', retry: true }],
    ['no such database', (url: URL) => void (url.pathname = '/no_such_database'), { code: 'store.database-unknown', kind: 'configuration', retry: false }],
    ['a wrong password', (url: URL) => void (url.password = 'wrong'), { code: 'store.login', kind: 'configuration', retry: false }],
  ])('%s, from the pool, a transaction and a session', async (_name, change, expected) => {
    const broken = storeWith(change);
    await expect(broken.query('select 1')).rejects.toMatchObject(expected);
    await expect(broken.transaction(async () => 1)).rejects.toMatchObject(expected);
    await expect(broken.session()).rejects.toMatchObject(expected);
    await broken.close();
  });

  it('never show the password', async () => {
    const broken = storeWith((url) => void (url.port = '1'));
    const error = (await broken.query('select 1').catch((thrown: unknown) => thrown)) as Error & { advice: string; details: object };
    expect(JSON.stringify([error.message, error.advice, error.details])).not.toContain(new URL(t.url).password);
    await broken.close();
  });
});

describe('names in SQL', () => {
  it.each(['payees', '_x', 'a1', 'a'.repeat(63)])('%s is quoted', (name) => expect(identifier(name)).toBe(`"${name}"`));
  it.each(['', 'A', '1a', 'a-b', 'a"b', 'a b', 'a'.repeat(64), 'é', "a';drop table account;--"])('%p is refused', (name) => {
    expect(() => identifier(name)).toThrow(expect.objectContaining({ code: 'store.name', kind: 'configuration' }));
  });
});

describe('migrations', () => {
  const first = { name: 'first', sql: 'create table one (n integer); insert into one values (1)' };
  const second = { name: 'second', sql: 'insert into one values (2)' };

  it('are applied once by twenty installers that start together', async () => {
    const installers = Array.from({ length: 4 }, () => t.at.store(t.url));
    const applied = await Promise.all(Array.from({ length: 20 }, (_, i) => migrate(installers[i % 4]!, 'twenty', [first, second])));
    expect(applied.filter((names) => names.length > 0)).toEqual([['first', 'second']]);
    expect((await store.query('select n from one order by n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('go on where the database is, each component by itself', async () => {
    expect(await migrate(store, 'steps', [{ name: 'a', sql: 'create table a_step ()' }])).toEqual(['a']);
    expect(await migrate(store, 'steps', [{ name: 'a', sql: 'not run again' }, { name: 'b', sql: 'create table b_step ()' }])).toEqual(['b']);
    expect(await migrate(store, 'steps', [{ name: 'a', sql: '' }, { name: 'b', sql: '' }])).toEqual([]);
  });

  it('are refused when the database has others, or more, than the software', async () => {
    await migrate(store, 'mismatch', [{ name: 'a', sql: 'select 1' }, { name: 'b', sql: 'select 1' }]);
    const expected = { code: 'store.migration-mismatch', kind: 'configuration' };
    await expect(migrate(store, 'mismatch', [{ name: 'a', sql: 'select 1' }, { name: 'c', sql: 'select 1' }])).rejects.toMatchObject(expected);
    await expect(migrate(store, 'mismatch', [{ name: 'a', sql: 'select 1' }])).rejects.toMatchObject(expected);
  });

  it('that fail leave nothing behind', async () => {
    await expect(migrate(store, 'failing', [{ name: 'a', sql: 'create table half_done ()' }, { name: 'b', sql: 'selekt' }])).rejects.toMatchObject({ code: 'store.statement' });
    expect((await store.query("select to_regclass('half_done') as found")).rows).toEqual([{ found: null }]);
    expect(await migrate(store, 'failing', [{ name: 'a', sql: 'create table half_done ()' }])).toEqual(['a']);
  });
});

describe('COPY', () => {
  it('out and in again gives the same rows, whatever is in them', async () => {
    const session = await store.session();
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '').toWellFormed());
    await session.query('create temporary table source (id integer, note text); create temporary table target (like source)');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { minLength: 1, maxLength: 20 }), async (notes) => {
        await session.query('truncate source, target');
        await session.query('insert into source select * from unnest($1::integer[], $2::text[])', [notes.map((_, i) => i), notes]);
        const chunks: Buffer[] = [];
        for await (const chunk of session.copyOut('copy source to stdout')) chunks.push(chunk);
        expect(await session.copyIn('copy target from stdin', chunks)).toBe(notes.length);
        expect((await session.query<{ note: string | null }>('select note from target order by id')).rows.map(({ note }) => note)).toEqual(notes);
      }),
      { numRuns: 30 },
    );
    await session.close();
  });

  it('of bad rows, or from a source that fails, stores nothing and leaves the session usable', async () => {
    const session = await store.session();
    await session.query('create temporary table numbers (n integer)');
    await expect(session.copyIn('copy numbers from stdin', ['1\n', 'two\n'])).rejects.toMatchObject({ code: 'store.value' });
    const failing = function* () {
      yield '1\n';
      throw new RangeError('the source failed');
    };
    await expect(session.copyIn('copy numbers from stdin', failing())).rejects.toThrow(/the source failed/);
    await expect(async () => {
      for await (const chunk of session.copyOut('copy nothing_here to stdout')) expect(chunk).toBeUndefined();
    }).rejects.toMatchObject({ code: 'store.table-unknown' });
    expect((await session.query('select n from numbers')).rows).toEqual([]);
    expect(await session.copyIn('copy numbers from stdin', [])).toBe(0);
    await session.close();
  });
});

describe('remembered schemas', () => {
  it('come back as they were, and are replaced by id', async () => {
    await migrateSchemaMemory(store);
    const memory = schemaMemory(store);
    await memory.remember({ id: 2, subject: 'b.B', schema: { type: 'string' } });
    await memory.remember({ id: 1, subject: 'a.A', schema: { type: 'record', name: 'A', fields: [] } });
    await memory.remember({ id: 2, subject: 'b.C', schema: { type: 'long' } });
    expect(await memory.all()).toEqual([
      { id: 1, subject: 'a.A', schema: { type: 'record', name: 'A', fields: [] } },
      { id: 2, subject: 'b.C', schema: { type: 'long' } },
    ]);
  });
});
