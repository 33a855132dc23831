import pg from 'pg';
import { type TestStore, kill, testStore } from './store.spec.support.js';
import { type Store, type Tx, fromPg } from './index.js';

let t: TestStore;
let store: Store;
beforeAll(async () => {
  t = await testStore();
  store = t.store;
});
afterAll(() => t.at.close());
beforeEach(() => store.query('truncate account'));

const INSERT = 'insert into account values ($1, $2) returning id, cents::integer';
const insert = (tx: Tx, id: string, cents: unknown = 0) => tx.query<{ id: string; cents: number }>(INSERT, [id, cents], 'spec.insert');
const accounts = async () => (await store.query<{ id: string }>('select id from account order by id')).rows.map(({ id }) => id);
/** A pool may open several connections: the name must be prepared on the one that is used. */
const prepared = (tx: Tx) => insert(tx, 'prepared');
const reasons = async (running: Promise<unknown>[]) => (await Promise.allSettled(running)).map((end) => (end.status === 'fulfilled' ? 'done' : (end.reason as { code: string }).code));

/** One pipelining connection in a transaction that is rolled back; `heard` counts the messages of a kind from now on. */
async function onPipeline(use: (tx: Tx, heard: (message: string) => () => number) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: t.url, pipeline: true } as pg.ClientConfig);
  const { connection } = client as unknown as { connection: { on(message: string, run: () => void): void } };
  const heard = (message: string) => {
    let count = 0;
    connection.on(message, () => count++);
    return () => count;
  };
  await client.connect();
  try {
    await client.query('begin');
    const { tx } = fromPg(client);
    await prepared(tx);
    await use(tx, heard);
    await client.query('rollback');
  } finally {
    await client.end();
  }
}

describe('statements of one turn of the event loop', () => {
  it('run in their order, each with its own result, and are answered together', async () => {
    await onPipeline(async (tx, heard) => {
      const answers = heard('readyForQuery');
      const [first, changed, second, none] = await Promise.all([
        insert(tx, 'a', 1),
        tx.query<{ id: string; cents: string }>('update account set cents = cents + $1 where id = $2 returning *', [41, 'a']),
        insert(tx, 'b', 2),
        tx.query('delete from account where id = $1', ['nobody']),
      ]);
      expect(answers()).toBe(1);
      expect(first).toEqual({ rows: [{ id: 'a', cents: 1 }], rowCount: 1 });
      expect(changed).toEqual({ rows: [{ id: 'a', cents: '42' }], rowCount: 1 });
      expect(second.rows).toEqual([{ id: 'b', cents: 2 }]);
      expect(none).toEqual({ rows: [], rowCount: 0 });
      await insert(tx, 'c');
      await insert(tx, 'd');
      expect(answers()).toBe(3); // control: awaited one by one they are answered one by one
    });
  });

  it('describe their rows once in a connection’s life, and have them in each answer', async () => {
    await onPipeline(async (tx, heard) => {
      const described = heard('rowDescription');
      expect((await insert(tx, 'a', 1)).rows).toEqual([{ id: 'a', cents: 1 }]);
      expect(described()).toBe(1);
      const [b, c] = await Promise.all([insert(tx, 'b', 2), insert(tx, 'c', 3)]);
      expect([b.rows, c.rows]).toEqual([[{ id: 'b', cents: 2 }], [{ id: 'c', cents: 3 }]]);
      expect(described()).toBe(1);
      const unnamed = () => tx.query('select id from account where id = $1', ['a']);
      await unnamed();
      await unnamed();
      expect(described()).toBe(3); // control: what has no name is described each time
    });
  });

  it('whose rows have changed since are refused, not read with the old description', async () => {
    await store.query('create table shifting (first text)');
    await store.query("insert into shifting values ('a')");
    await store.transaction(async (tx) => {
      const all = () => tx.query('select * from shifting where first = $1', ['a'], 'spec.shifting');
      await all();
      expect((await all()).rows).toEqual([{ first: 'a' }]);
      await tx.query('alter table shifting add second integer default 2');
      await expect(all()).rejects.toMatchObject({ details: { sqlState: '0A000' } });
    }).catch((error: unknown) => expect(error).toMatchObject({ code: 'store.rolled-back' }));
  });

  it('of another text under a name that is taken are refused', async () => {
    await store.transaction(async (tx) => {
      await prepared(tx);
      await expect(tx.query('select $1::text as id', ['x'], 'spec.insert')).rejects.toThrow(/must be unique/);
    });
  });

  it('behind one that fails are not run and have its error; those before it are answered', async () => {
    const ends: string[] = [];
    const broken = store.transaction(async (tx) => {
      await prepared(tx);
      ends.push(...(await reasons([insert(tx, 'a'), insert(tx, 'b', -1), insert(tx, 'c'), tx.query('select $1::text', ['x'])])));
      await insert(tx, 'd');
    });
    await expect(broken).rejects.toMatchObject({ details: { sqlState: '25P02' } });
    expect(ends).toEqual(['done', 'store.constraint', 'store.constraint', 'store.constraint']);
    expect(await accounts()).toEqual([]);
    await store.transaction(async (tx) => Promise.all([insert(tx, 'a'), insert(tx, 'b')]));
    expect(await accounts()).toEqual(['a', 'b']);
  });

  it('a contended one has the transaction run again, whichever is awaited first', async () => {
    await store.query(`create function contended(really boolean) returns void language plpgsql as
      $$ begin if really then raise exception 'again' using errcode = '40001'; end if; end $$`);
    let runs = 0;
    await store.transaction(async (tx) => {
      await prepared(tx);
      const contended = tx.query('select contended($1)', [++runs === 1]);
      contended.catch(() => undefined);
      await insert(tx, 'behind');
    });
    expect(runs).toBe(2);
    expect(await accounts()).toEqual(['behind', 'prepared']);
  });

  it('a value that cannot be sent is refused alone, and the connection goes on', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    await store.transaction(async (tx) => {
      await prepared(tx);
      const ends = await reasons([insert(tx, 'a'), insert(tx, 'b', cyclic), insert(tx, 'c')]);
      expect(ends).toEqual(['done', 'store.statement', 'done']);
      expect((await insert(tx, 'd')).rowCount).toBe(1);
    });
    expect(await accounts()).toEqual(['a', 'c', 'd', 'prepared']);
  });

  it('one that is not awaited is inside its transaction: kept by the commit, gone with the rollback', async () => {
    const unawaited = (tx: Tx, id: string) => void insert(tx, id).catch(() => undefined);
    await store.transaction(async (tx) => {
      await prepared(tx);
      unawaited(tx, 'kept');
    });
    const thrown = store.transaction(async (tx) => {
      unawaited(tx, 'gone');
      throw new RangeError('no');
    });
    await expect(thrown).rejects.toThrow(RangeError);
    await store.transaction((tx) => insert(tx, 'later'));
    expect(await accounts()).toEqual(['kept', 'later', 'prepared']);
  });

  it('on a connection that is lost are all unavailable', async () => {
    const lost = store.transaction(async (tx) => {
      await prepared(tx);
      const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await kill(t.other, rows[0]!.pid);
      expect(await reasons([insert(tx, 'a'), insert(tx, 'b')])).toEqual(['store.unavailable', 'store.unavailable']);
      await insert(tx, 'c');
    });
    await expect(lost).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(await accounts()).toEqual([]);
  });
});
