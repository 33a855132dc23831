import type pg from 'pg';
import { FactlineError } from 'factline/kernel';
import { translate } from './errors.js';
import { POOLER_ROUNDS } from './limits.js';
import { Session } from './session.js';

/** Which process of the server a client speaks to now. */
async function backendOf(session: Session): Promise<number> {
  return (await session.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
}

async function connected(make: () => pg.Client): Promise<{ client: pg.Client; session: Session }> {
  const client = make();
  const session = new Session(client);
  try {
    await client.connect();
  } catch (error) {
    throw translate(error);
  }
  return { client, session };
}

async function isApart(session: Session, pid: number, other: Session): Promise<boolean> {
  await other.query('begin');
  const apart = (await backendOf(other)) !== pid && (await backendOf(session)) === pid;
  await other.query('rollback');
  return apart;
}

/**
 * A session that is one. Through a pooler in transaction mode its locks and settings would be left on a connection that somebody else gets next, and never be released.
 * Whoever is told the process id that answers its queries speaks to the server itself. Otherwise somebody stands between, and is put to the test: while another client holds a
 * transaction open, ours must still have the process that it had, and the other one must not; more than once, because other clients of a pool come in between.
 */
export async function openSession(make: () => pg.Client): Promise<Session> {
  const { client, session } = await connected(make);
  try {
    const pid = await backendOf(session);
    if ((client as pg.Client & { processID: number | null }).processID === pid) return session;
    const { session: other } = await connected(make);
    try {
      for (let round = 1; await isApart(session, pid, other); round++) if (round === POOLER_ROUNDS) return session;
    } finally {
      await other.close();
    }
    throw new FactlineError({
      code: 'store.pooled',
      kind: 'configuration',
      message: 'The database is reached through a pooler that hands its connections out by the transaction, so a session cannot hold a lock.',
      advice: "Give the app the server's own address, or a pool in session mode; requests alone would work as it is.",
    });
  } catch (error) {
    await session.close();
    throw error;
  }
}
