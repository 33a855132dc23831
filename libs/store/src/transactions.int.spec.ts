import pg from 'pg';
import { FactlineError } from 'factline/kernel';
import { until } from 'factline/testing';
import { TRANSACTION_ATTEMPTS } from './limits.js';
import { type TestStore, barrier, blocked, kill, testStore } from './store.spec.support.js';
import { type Store, type Tx, assertTx, fromPg } from './index.js';

let t: TestStore;
let store: Store;
beforeAll(async () => {
  t = await testStore();
  store = t.store;
});
afterAll(() => t.at.close());
beforeEach(() => store.query('truncate account'));

const accounts = async () => (await store.query<{ id: string }>('select id from account order by id')).rows.map(({ id }) => id);
const insert = (tx: Tx, id: string) => tx.query('insert into account values ($1, 0)', [id]);
const pidOf = async (tx: Tx) => (await tx.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;

describe('a transaction', () => {
  it('commits, answers what its function answered, and runs its callbacks after the commit, in order', async () => {
    const seen: unknown[] = [];
    const look = async (name: string) => seen.push([name, (await t.other.query('select id from account')).rows]);
    const looking: Promise<unknown>[] = [];
    const answer = await store.transaction(async (tx) => {
      await insert(tx, 'a');
      tx.onCommit(() => looking.push(look('first')));
      tx.onCommit(() => looking.push(look('second')));
      expect((await t.other.query('select id from account')).rows).toEqual([]);
      return 42;
    });
    await Promise.all(looking);
    expect(answer).toBe(42);
    expect(seen).toHaveLength(2);
    expect(seen).toEqual(expect.arrayContaining([['first', [{ id: 'a' }]], ['second', [{ id: 'a' }]]]));
  });

  it('leaves nothing when its function throws: no row, no callback', async () => {
    const ran: string[] = [];
    const broken = store.transaction(async (tx) => {
      tx.onCommit(() => ran.push('callback'));
      await insert(tx, 'a');
      throw new RangeError('no');
    });
    await expect(broken).rejects.toThrow(RangeError);
    expect(await accounts()).toEqual([]);
    expect(ran).toEqual([]);
  });

  it('is not a commit when a failed statement was swallowed: Postgres would answer ROLLBACK to COMMIT', async () => {
    const ran: string[] = [];
    const swallowing = async (tx: Tx) => {
      tx.onCommit(() => ran.push('callback'));
      await insert(tx, 'a');
      await insert(tx, 'a').catch(() => undefined);
    };
    await expect(store.transaction(swallowing)).rejects.toMatchObject({ code: 'store.rolled-back', retry: false });
    const session = await store.session();
    try {
      await expect(session.transaction(swallowing)).rejects.toMatchObject({ code: 'store.rolled-back' });
    } finally {
      await session.close();
    }
    expect(await accounts()).toEqual([]);
    expect(ran).toEqual([]);
  });

  it('goes on after a failed statement inside a savepoint', async () => {
    await store.transaction(async (tx) => {
      await insert(tx, 'a');
      await tx.query('savepoint before');
      await insert(tx, 'a').catch(() => tx.query('rollback to savepoint before'));
      await insert(tx, 'b');
    });
    expect(await accounts()).toEqual(['a', 'b']);
  });

  it('reports a callback that throws to the log, and the commit stands', async () => {
    const errors: object[] = [];
    const logged = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (fields: object) => void errors.push(fields) };
    const noisy = new (store.constructor as typeof Store)({ url: t.url, applicationName: t.at.name, log: logged });
    try {
      const ran: string[] = [];
      await noisy.transaction(async (tx) => {
        await insert(tx, 'a');
        tx.onCommit(() => {
          throw new Error('careless');
        });
        tx.onCommit(() => ran.push('second'));
      });
      expect(ran).toEqual(['second']);
      expect(errors).toEqual([{ error: 'careless' }]);
      expect(await accounts()).toEqual(['a']);
    } finally {
      await noisy.close();
    }
  });

  it('honours isolation and read only', async () => {
    await expect(store.transaction((tx) => insert(tx, 'a'), { readOnly: true })).rejects.toBeInstanceOf(FactlineError);
    const level = await store.transaction(async (tx) => (await tx.query<{ l: string }>("select current_setting('transaction_isolation') as l")).rows[0]!.l, { isolation: 'serializable' });
    expect(level).toBe('serializable');
  });
});

describe('contention', () => {
  /** Both take their first row, then the other's: one of them must lose. */
  const crossing = (both: () => Promise<void>, first: string, second: string, runs: { count: number }) => async (tx: Tx) => {
    runs.count++;
    await tx.query('update account set cents = cents + 1 where id = $1', [first]);
    if (runs.count <= 2) await both();
    await tx.query('update account set cents = cents + 1 where id = $1', [second]);
  };

  it('E6: a deadlock of crossed locks is run again, and both are in effect once', async () => {
    await store.query("insert into account values ('a', 0), ('b', 0)");
    const runs = { count: 0 };
    const both = barrier(2);
    await Promise.all([store.transaction(crossing(both, 'a', 'b', runs)), store.transaction(crossing(both, 'b', 'a', runs))]);
    expect(runs.count).toBeGreaterThan(2);
    expect((await store.query('select id, cents::integer from account order by id')).rows).toEqual([{ id: 'a', cents: 2 }, { id: 'b', cents: 2 }]);
  });

  it('control: without the retry the same crossing loses one of the two', async () => {
    await store.query("insert into account values ('a', 0), ('b', 0)");
    const both = barrier(2);
    const runs = { count: 0 };
    const sessions = [await store.session(), await t.other.session()];
    try {
      const ends = await Promise.allSettled(sessions.map((session, i) => session.transaction(crossing(both, i ? 'b' : 'a', i ? 'a' : 'b', runs))));
      expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'store.contended', details: { sqlState: '40P01' } } });
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
  });

  it('E6: a serialization failure is run again', async () => {
    await store.query("insert into account values ('a', 1), ('b', 1)");
    const both = barrier(2);
    let runs = 0;
    /** Write skew: each may empty its account while the other is not empty. */
    const empty = (own: string) => async (tx: Tx) => {
      runs++;
      const { rows } = await tx.query<{ sum: number }>('select sum(cents)::integer as sum from account');
      if (runs <= 2) await both();
      if (rows[0]!.sum > 1) await tx.query('update account set cents = 0 where id = $1', [own]);
    };
    await Promise.all(['a', 'b'].map((own) => store.transaction(empty(own), { isolation: 'serializable' })));
    expect(runs).toBeGreaterThan(2); // the one that is run again may meet the other's commit once more
    expect((await store.query('select sum(cents)::integer as sum from account')).rows).toEqual([{ sum: 1 }]);
  });

  it('E6: is given up after a bounded number of runs', async () => {
    let runs = 0;
    const always = store.transaction(async (tx) => {
      runs++;
      await tx.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$");
    });
    await expect(always).rejects.toMatchObject({ code: 'store.contended', retry: true });
    expect(runs).toBe(TRANSACTION_ATTEMPTS);
  });

  it('other failures run once', async () => {
    let runs = 0;
    const broken = store.transaction(async (tx) => {
      runs++;
      await tx.query('select 1/0');
    });
    await expect(broken).rejects.toMatchObject({ code: 'store.value' });
    expect(runs).toBe(1);
  });
});

describe('a lost connection', () => {
  it('between two statements rolls back, is unavailable, and the process and the pool go on', async () => {
    const lost = store.transaction(async (tx) => {
      await insert(tx, 'a');
      await kill(t.other, await pidOf(tx));
      await insert(tx, 'b');
    });
    await expect(lost).rejects.toMatchObject({ code: 'store.unavailable', retry: true });
    expect(await accounts()).toEqual([]);
    await store.transaction((tx) => insert(tx, 'c'));
    expect(await accounts()).toEqual(['c']);
  });

  it('under a statement is unavailable, and the connection is not given to the next caller', async () => {
    for (let round = 0; round < 10; round++) {
      const holder = await t.other.session();
      await holder.query('begin; lock table account');
      const lost = store.query(`select ${round} as round from account`).catch((error: unknown) => error);
      const { pid } = await until('it waits', async () => (await t.other.query<{ pid: number }>("select pid from pg_stat_activity where query like '%as round%' and wait_event_type = 'Lock'")).rows[0]);
      await t.other.query('select pg_terminate_backend($1)', [pid]);
      expect(await lost).toMatchObject({ code: 'store.unavailable', retry: true });
      expect(await store.query('select 1')).toMatchObject({ rowCount: 1 });
      await holder.close();
    }
  });

  it('while committing is an outcome nobody knows, and is not tried again', async () => {
    await store.query(`
      create function wait_at_commit() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(7); return null; end $$;
      create constraint trigger slow_commit after insert on account deferrable initially deferred for each row execute function wait_at_commit()`);
    const holder = await t.other.session();
    try {
      await holder.query('select pg_advisory_lock(7)');
      let pid = 0;
      let runs = 0;
      const committing = store.transaction(async (tx) => {
        runs++;
        await insert(tx, 'a');
        pid = await pidOf(tx);
      });
      const ended = committing.catch((error: unknown) => error);
      await until('it has begun', () => pid > 0);
      await blocked(t.other, pid);
      await kill(t.other, pid);
      expect(await ended).toMatchObject({ code: 'store.outcome-unknown', retry: false });
      expect(runs).toBe(1);
    } finally {
      await holder.close();
      await store.query('drop trigger slow_commit on account; drop function wait_at_commit()');
    }
  });

  it('of a session is known to the session, and its transaction fails as unavailable', async () => {
    const session = await store.session();
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
    expect(session.lost).toBe(false);
    const lost = session.transaction(async (tx) => {
      await insert(tx, 'a');
      await kill(t.other, rows[0]!.pid);
      await insert(tx, 'b');
    });
    await expect(lost).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(session.lost).toBe(true);
    await session.close();
    expect(await accounts()).toEqual([]);
  });
});

describe('what is a transaction', () => {
  it('refuses a pool, a client, a plain object and a transaction that has ended', async () => {
    let ended: Tx | undefined;
    await store.transaction(async (tx) => {
      assertTx(tx);
      ended = tx;
    });
    const client = new pg.Client({ connectionString: t.url });
    const pool = new pg.Pool({ connectionString: t.url });
    for (const candidate of [store, client, pool, { query: () => undefined }, undefined, null, ended]) {
      expect(() => assertTx(candidate)).toThrow(expect.objectContaining({ code: 'store.not-a-transaction' }));
    }
    await pool.end();
    await expect(ended!.query('select 1')).rejects.toMatchObject({ code: 'store.not-a-transaction' });
  });

  it('fromPg takes a client inside BEGIN, and refuses one outside', async () => {
    const client = new pg.Client({ connectionString: t.url });
    await client.connect();
    try {
      expect(() => fromPg(client)).toThrow(expect.objectContaining({ code: 'store.not-a-transaction' }));
      await client.query('begin');
      const ran: string[] = [];
      const { tx, committed } = fromPg(client);
      tx.onCommit(() => ran.push('committed'));
      await insert(tx, 'a');
      await client.query('commit');
      expect(ran).toEqual([]);
      committed();
      expect(ran).toEqual(['committed']);
      expect(() => assertTx(tx)).toThrow(expect.objectContaining({ code: 'store.not-a-transaction' }));
      await client.query('begin');
      for (const failing of ['select 1/0', 'select 1']) await client.query(failing).catch(() => undefined);
      expect(() => fromPg(client)).toThrow(expect.objectContaining({ code: 'store.not-a-transaction' }));
    } finally {
      await client.end();
    }
    expect(await accounts()).toEqual(['a']);
  });
});
