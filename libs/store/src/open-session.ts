import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { FactlineError, pause } from 'factline/kernel';
import { translate } from './errors.js';
import { POOLER_NOTICE_MS } from './limits.js';
import { Session } from './session.js';
import { identifier } from './sql.js';

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

/**
 * Whether a connection of the server stays with its client between statements: then what others notify reaches the client unasked. A connection that went back to a pool
 * is told instead, and nobody hears it.
 */
async function isKept(client: pg.Client, session: Session, other: Session): Promise<boolean> {
  const channel = `factline_${randomBytes(8).toString('hex')}`;
  const unheard = new AbortController();
  client.on('notification', (heard) => {
    if (heard.channel === channel) unheard.abort();
  });
  await session.query(`listen ${identifier(channel)}`);
  await other.query('select pg_notify($1, $2)', [channel, '']);
  await pause(POOLER_NOTICE_MS, unheard.signal);
  const kept = unheard.signal.aborted; // before the next statement, which may meet the connection that was told
  await session.query(`unlisten ${identifier(channel)}`);
  return kept;
}

/**
 * A session that is one. Through a pooler in transaction mode its locks and settings would be left on a connection that somebody else gets next, and never be released.
 * Whoever is told the process id that answers its queries speaks to the server itself. Otherwise somebody stands between, and has to show that the connection is kept: that the
 * same process answers several times shows nothing, for a quiet pool gives each client the connection that it had before.
 */
export async function openSession(make: () => pg.Client): Promise<Session> {
  const { client, session } = await connected(make);
  try {
    const pid = await backendOf(session);
    if ((client as pg.Client & { processID: number | null }).processID === pid) return session;
    const { session: other } = await connected(make);
    try {
      if (await isKept(client, session, other)) return session;
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
